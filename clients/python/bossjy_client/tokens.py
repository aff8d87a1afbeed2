"""Token sources for calls: a fixed token, or a session that renews itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bossjy.auth.v1 import account_pb2

RENEW_BEFORE_S = 30.0  # an access token is renewed this long before it ends, so that no call carries an expiring one


class TokenSource(Protocol):
    """Source of the token for calls."""

    async def token(self) -> str:
        """The token; if empty, calls have none."""
        ...

    async def renew(self, refused: str) -> bool:
        """Called after the server rejected `refused` as expired. Returns True if a repeated call gets a new token."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """An API key or an access token from elsewhere."""

    value: str = field(repr=False)

    async def token(self) -> str:
        """The token."""
        return self.value

    async def renew(self, refused: str) -> bool:  # noqa: ARG002 (the protocol's signature)
        """A fixed token cannot be renewed."""
        return False


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """The tokens of a session. Times are Unix time in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expire_s: float

    @staticmethod
    def of(tokens: account_pb2.Tokens) -> SessionTokens:
        """The tokens of an answer of Login, Register or RefreshToken."""
        expire = tokens.access_expire_time
        return SessionTokens(tokens.access_token, tokens.refresh_token, expire.seconds + expire.nanos / 1e9)


Refresh = Callable[[SessionTokens], Awaitable[SessionTokens]]


class SessionSource:
    """A login. Its access token is renewed before it ends, by one caller at a time.

    `refresh` exchanges the tokens for new ones. It may also return newer ones that another process stored.
    """

    def __init__(self, tokens: SessionTokens, refresh: Refresh, *, now: Callable[[], float] = time.time) -> None:
        self.tokens = tokens
        self._refresh = refresh
        self._now = now
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def token(self) -> str:
        """The access token, renewed if it ends within half a minute."""
        if self._now() > self.tokens.access_expire_s - RENEW_BEFORE_S:
            await self.renew(self.tokens.access_token)
        return self.tokens.access_token

    async def renew(self, refused: str) -> bool:
        """Exchange the tokens, unless another caller did so since `refused` was returned."""
        async with self._of_loop():
            if self.tokens.access_token == refused:
                self.tokens = await self._refresh(self.tokens)
        return True

    def _of_loop(self) -> asyncio.Lock:
        """The lock of the running loop: a lock belongs to one."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = loop, asyncio.Lock()
        return self._lock[1]
