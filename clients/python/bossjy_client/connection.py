"""Channel to the service: credentials on every call, typed errors, limited repetition of safe calls."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import grpc
import grpc.aio

from bossjy_client.config import ClientConfig
from bossjy_client.errors import BossjyError, UnauthenticatedError, UnavailableError, from_rpc_error
from bossjy_client.tokens import StaticToken, TokenSource

Request = TypeVar("Request")
Response = TypeVar("Response")
Metadata = tuple[tuple[str, str], ...]

# Errors that depend on the moment and not on the request: a safe call is repeated after them. gRPC's server answers
# CANCELLED to a call that arrives while it closes its connections. A call that its caller cancels raises no error here.
_PASSING_CODES = frozenset({"UNAVAILABLE", "CANCELLED"})
_PASSING = frozenset({"OVERLOADED", "RATE_LIMITED", "STREAM_IDLE", "STREAM_UNREAD"})


def is_passing(error: BossjyError) -> bool:
    """True if the same call can succeed a little later."""
    return error.code in _PASSING_CODES or error.reason in _PASSING


def backoff_s(attempt: int, config: ClientConfig, retry_after_s: float | None = None) -> float:
    """Seconds to wait after try `attempt` (from 0): a random time below a doubling limit, plus `retry_after_s`."""
    bound = min(config.max_backoff_s, config.initial_backoff_s * 2.0 ** min(attempt, 30))
    return (retry_after_s or 0.0) + random.uniform(0.1, 1.0) * bound  # noqa: S311 (spreads load, guards nothing)


class Connection:
    """A channel and the token source of its calls."""

    def __init__(self, target: str, config: ClientConfig, tokens: TokenSource | None = None) -> None:
        self.target = target
        self.config = config
        self.tokens: TokenSource = tokens or StaticToken("")
        self.channel = _open_channel(target, config)

    async def close(self) -> None:
        """Close the channel. Running calls are cancelled."""
        await self.channel.close(None)

    async def metadata(self) -> Metadata:
        """The metadata of a call."""
        token = await self.tokens.token()
        return (("authorization", f"Bearer {token}"),) if token else ()

    async def call(
        self,
        method: Callable[..., grpc.aio.UnaryUnaryCall[Request, Response]],
        request: Request,
        *,
        safe: bool,
        public: bool = False,
        timeout_s: float | None = None,
    ) -> Response:
        """Make one unary call.

        `safe`: repeating does no harm, so the call is repeated while the service is not reached, within the
        deadline. `public`: no credentials are sent. Raises BossjyError.
        """
        deadline = time.monotonic() + (timeout_s or self.config.timeout_s)
        attempts = self.config.max_attempts if safe else 1
        renewed = False
        attempt = 0
        while True:
            metadata = () if public else await self.metadata()
            try:
                return await method(request, metadata=metadata, timeout=max(0.001, deadline - time.monotonic()))
            except grpc.aio.AioRpcError as error:
                failure = from_rpc_error(error)
            if not renewed and metadata and await self.renew_after(failure, metadata):
                renewed = True  # the call was rejected before it did anything, so repeating it is safe
                continue
            attempt += 1
            wait_s = backoff_s(attempt - 1, self.config, failure.retry_after_s)
            too_long = (failure.retry_after_s or 0.0) > self.config.max_backoff_s
            if attempt >= attempts or not is_passing(failure) or too_long or time.monotonic() + wait_s > deadline:
                raise failure
            await asyncio.sleep(wait_s)

    async def renew_after(self, failure: BossjyError, metadata: Metadata) -> bool:
        """Renew the token if `failure` says that it has expired; True if the call is worth repeating."""
        if not isinstance(failure, UnauthenticatedError) or failure.reason != "TOKEN_EXPIRED":
            return False
        return await self.tokens.renew(metadata[0][1].removeprefix("Bearer "))

    async def stream(
        self,
        method: Callable[..., grpc.aio.UnaryStreamCall[Request, Response]],
        request: Request,
        *,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Response]:
        """The messages of a server stream. It is not repeated, because only the caller knows where to continue."""
        call = method(request, metadata=await self.metadata(), timeout=timeout_s)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the connection itself. Raises UnavailableError."""
        try:
            await asyncio.wait_for(self.channel.channel_ready(), timeout_s)
        except TimeoutError:
            raise UnavailableError(
                f"nothing answers at {self.target} within {timeout_s:g} s: check the address",
                code="UNAVAILABLE",
            ) from None


def _open_channel(target: str, config: ClientConfig) -> grpc.aio.Channel:
    options = [
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", int(config.max_backoff_s * 1000)),
        ("grpc.keepalive_time_ms", int(config.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.primary_user_agent", config.user_agent),
    ]
    if config.speaks_plaintext(target):
        return grpc.aio.insecure_channel(target, options=options)
    chain, key = config.certificate or (None, None)
    credentials = grpc.ssl_channel_credentials(config.root_certificates, key, chain)
    return grpc.aio.secure_channel(target, credentials, options=options)
