"""Where the token of a call comes from: a fixed one, or a session that renews itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from bossjy.auth.v1 import account_pb2

RENEW_BEFORE_S = 30.0  # an access token is renewed so long before it ends, so that a call never carries a dying one


class TokenSource(Protocol):
    """Gives the token that a call carries."""

    async def token(self) -> str:
        """The token; empty: the call carries none."""
        ...

    async def renew(self, refused: str) -> bool:
        """Called when the server refused `refused` as expired. True: there is a new one, repeat the call."""
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
        """From the message that Login, Register and RefreshToken answer."""
        expire = tokens.access_expire_time
        return SessionTokens(tokens.access_token, tokens.refresh_token, expire.seconds + expire.nanos / 1e9)


Refresh = Callable[[SessionTokens], Awaitable[SessionTokens]]


class SessionSource:
    """A login. Its access token is renewed before it ends, by one caller at a time.

    `refresh` exchanges the tokens for new ones. It may also answer newer ones that another process stored.
    """

    def __init__(self, tokens: SessionTokens, refresh: Refresh, *, now: Callable[[], float] = time.time) -> None:
        self.tokens = tokens
        self._refresh = refresh
        self._now = now
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """The access token, renewed if it ends within half a minute."""
        if self._now() > self.tokens.access_expire_s - RENEW_BEFORE_S:
            await self.renew(self.tokens.access_token)
        return self.tokens.access_token

    async def renew(self, refused: str) -> bool:
        """Exchange the tokens, unless somebody did so since `refused` was handed out."""
        async with self._lock:
            if self.tokens.access_token == refused:
                self.tokens = await self._refresh(self.tokens)
        return True
