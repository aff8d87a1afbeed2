from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.credentials.tokens import AccessTokens
from bossjy_server.auth.options import AuthOptions


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def options() -> AuthOptions:
    return AuthOptions(key_activation_s=60)


@pytest.fixture
def keys(tmp_path: Path, clock: Clock, options: AuthOptions) -> Keys:
    return load_keys(tmp_path, clock, options)


@pytest.fixture
def tokens(keys: Keys, clock: Clock, options: AuthOptions) -> AccessTokens:
    return AccessTokens(keys, options, clock)


def load_keys(folder: Path, clock: Clock, options: AuthOptions) -> Keys:
    """The keys as the service loads them."""
    return Keys.load(
        folder / "keys",
        retire_s=options.access_lifetime_s + 2 * options.access_leeway_s,
        activation_s=options.key_activation_s,
        clock=clock,
    )
