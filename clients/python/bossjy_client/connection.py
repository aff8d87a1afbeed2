"""Channel to the service: credentials on every call, typed errors, limited repetition of safe calls."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar, cast

import grpc
import grpc.aio
from google.protobuf.message import Message

from bossjy_client.call_options import Metadata, bearer, no_options, own_metadata, time_left
from bossjy_client.channel import LoopChannel, open_channel
from bossjy_client.config import ClientConfig
from bossjy_client.errors import BossjyError, UnauthenticatedError, UnavailableError, from_rpc_error
from bossjy_client.idempotency import is_idempotent
from bossjy_client.reachability import Cause, cause_of, never_sent, silence
from bossjy_client.settings_check import CONSUL_SCHEMES, check_settings
from bossjy_client.tokens import StaticToken, TokenSource

_log = logging.getLogger(__name__)

# Longest wait for a connection that is not refused, unless the caller asks for more.
CONNECT_TIMEOUT_S = 2.5
# Time for a server that starts to accept connections, unless the caller asks for more.
_START_S = 2.0
# Longest interval between looks at the state of a channel that connects.
_POLL_S = 0.1
# Any method without credentials shows the cause of a failed connection.
_PROBE = "/grpc.health.v1.Health/Check"

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")

# Errors that depend on the moment and not on the request: a safe call is repeated after them. gRPC's server answers
# CANCELLED to a call that arrives while it closes its connections. A call that its caller cancels raises no error here.
_PASSING_CODES = frozenset({"UNAVAILABLE", "CANCELLED"})
_PASSING = frozenset({"OVERLOADED", "RATE_LIMITED", "STREAM_IDLE", "STREAM_UNREAD"})


def is_passing(error: BossjyError) -> bool:
    """True if the same call can succeed a little later."""
    return error.code in _PASSING_CODES or error.reason in _PASSING


def is_away(error: BossjyError) -> bool:
    """True if no server answered, or it is about to end: the call is repeated until its deadline."""
    return error.code in _PASSING_CODES and error.reason in {"", "SHUTTING_DOWN"}


def backoff_s(attempt: int, config: ClientConfig, retry_after_s: float | None = None) -> float:
    """Seconds to wait after try `attempt` (from 0): a random time below a doubling limit, plus `retry_after_s`."""
    bound = min(config.max_backoff_s, config.initial_backoff_s * 2.0 ** min(attempt, 30))
    return (retry_after_s or 0.0) + random.uniform(0.1, 1.0) * bound  # noqa: S311 (spreads load, guards nothing)


def _channel_to(target: str, config: ClientConfig) -> LoopChannel:
    if not target.lower().startswith(CONSUL_SCHEMES):
        return LoopChannel(lambda: open_channel(target, config))
    from bossjy_client.consul_channel import ConsulChannel  # noqa: PLC0415 - most clients need no HTTP client

    return ConsulChannel(target, config)


class Connection:
    """A channel and the token source of its calls."""

    def __init__(self, target: str, config: ClientConfig, tokens: TokenSource | None = None) -> None:
        check_settings(target, config)
        self.target = target
        self.config = config
        self.tokens: TokenSource = tokens or StaticToken("")
        self._loops = _channel_to(target, config)
        # Stubs know no other type of channel.
        self.channel = cast("grpc.aio.Channel", self._loops)

    async def close(self) -> None:
        """Close the channel. Running calls are cancelled."""
        await self._loops.close()

    async def metadata(self, *, public: bool = False) -> Metadata:
        """The metadata of a call: its token unless it is public, and the caller's own. Raises CredentialsError."""
        if public:
            return own_metadata()
        with no_options():
            token = await self.tokens.token()
        return bearer(token) + own_metadata()

    async def call(
        self,
        method: Callable[..., grpc.aio.UnaryUnaryCall[Request, Response]],
        request: Request,
        *,
        safe: bool | None = None,
        public: bool = False,
        timeout_s: float | None = None,
    ) -> Response:
        """Make one unary call.

        `safe`: repeating does no harm, so the call is repeated until its deadline while no server answers, and
        `max_attempts` times while the server refuses it. A call that is not safe is repeated only while there is no
        connection. If None, the idempotency level of the method decides. `public`: no credentials are sent. Raises
        BossjyError.
        """
        deadline = time.monotonic() + (time_left() or timeout_s or self.config.timeout_s)
        renewed = False
        attempt = refusals = 0
        while True:
            metadata = await self.metadata(public=public)
            try:
                return await method(request, metadata=metadata, timeout=max(0.001, deadline - time.monotonic()))
            except grpc.aio.AioRpcError as error:
                failure = from_rpc_error(error)
            if not renewed and not public and await self.renew_after(failure, metadata):
                renewed = True  # the call was rejected before it did anything, so repeating it is safe
                continue
            attempt += 1
            wait_s = backoff_s(attempt - 1, self.config, failure.retry_after_s)
            refusals += not is_away(failure)
            safe = is_idempotent(request) if safe is None else safe
            if not self._repeats(failure, refusals, safe=safe) or time.monotonic() + wait_s > deadline:
                raise self.named(failure)
            if failure.reason == "RATE_LIMITED":
                _log.warning("%s: waiting %.1f s", failure.message, wait_s)
            await asyncio.sleep(wait_s)

    def _repeats(self, failure: BossjyError, refusals: int, *, safe: bool) -> bool:
        """True if the call is worth repeating after this failure, the last of several refusals."""
        if never_sent(failure.message):
            return True
        too_long = (failure.retry_after_s or 0.0) > self.config.max_backoff_s
        return safe and is_passing(failure) and not too_long and refusals < self.config.max_attempts

    async def renew_after(self, failure: BossjyError, metadata: Metadata) -> bool:
        """Renew the token if `failure` says that it has expired; True if the call is worth repeating."""
        if not isinstance(failure, UnauthenticatedError) or failure.reason != "TOKEN_EXPIRED":
            return False
        refused = next((str(value) for key, value in metadata if key == "authorization"), "")
        with no_options():
            return await self.tokens.renew(refused.removeprefix("Bearer "))

    async def stream(
        self,
        method: Callable[..., grpc.aio.UnaryStreamCall[Request, Response]],
        request: Request,
        *,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Response]:
        """The messages of a server stream. It is not repeated, because only the caller knows where to continue."""
        call = method(request, metadata=await self.metadata(), timeout=time_left() or timeout_s)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise self.named(from_rpc_error(error)) from None
        finally:
            call.cancel()

    def named(self, failure: BossjyError) -> BossjyError:
        """The failure with the cause in words, if gRPC had no connection."""
        cause = cause_of(failure.message) if failure.code == "UNAVAILABLE" and not failure.reason else None
        if cause is not None:
            failure.message = f"no connection to {self.target}: {cause.text}"
        return failure

    async def wait_until_ready(self, timeout_s: float | None = None) -> None:
        """Wait for the connection itself, at most `timeout_s` seconds. Raises UnavailableError with the cause.

        A cause that does not pass is reported at once. None waits for less than three seconds in all, and two while
        the connection is refused.
        """
        start = time.monotonic()
        limit_s = CONNECT_TIMEOUT_S if timeout_s is None else timeout_s
        cause: Cause | None = None
        await self._loops.prepare(limit_s)
        try:
            async with asyncio.timeout(max(_POLL_S, limit_s - (time.monotonic() - start))):
                while (
                    state := self._loops.current().get_state(try_to_connect=True)
                ) is not grpc.ChannelConnectivity.READY:
                    if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                        cause = await self._cause()
                    waited_s = time.monotonic() - start
                    if cause and (cause.lasting or (timeout_s is None and waited_s > _START_S)):
                        break
                    # A channel that cannot connect stays in one state, so a wait for another would not end.
                    await asyncio.sleep(min(_POLL_S, waited_s / 4 + 0.001))
                else:
                    return
        except TimeoutError:
            pass
        reason = cause.text if cause else await silence(self.target, limit_s)
        raise UnavailableError(f"no connection to {self.target}: {reason}", code="UNAVAILABLE")

    async def _cause(self) -> Cause | None:
        """The cause of a failed connection; None if it is not known."""
        probe: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._loops.current().unary_unary(_PROBE)
        try:
            await probe(b"", timeout=1.0)
        except grpc.aio.AioRpcError as error:
            return cause_of(error.details() or "") if error.code() is grpc.StatusCode.UNAVAILABLE else None
        return None
