"""Optional dependencies: a missing one is an error that names the extra to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bossjy_client.errors import BossjyError


class MissingExtraError(BossjyError):
    """A part of this package needs a library that is not installed."""


@contextmanager
def needs(extra: str, library: str) -> Iterator[None]:
    """Imports of a library of an extra. Raises MissingExtraError if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library.partition(".")[0]:
            raise
        raise MissingExtraError(f"this needs {library}: pip install 'bossjy[{extra}]'") from error
