"""Watchdog of open streams: ends a stream whose caller lost its authority, and idle and unread streams.

Access is decided when a call begins, and a stream can stay open for hours. One task of the process checks all open
streams every few seconds. It reads the authority of all their callers together (`Recheck`), so the cost does not grow
with the number of messages. An expired access token ends no stream: its session counts.

To end a stream, the watchdog cancels the task of its call and replaces the cancellation by the status, as
`asyncio.timeout` does. So it also ends a stream that waits for its client, to send or to receive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, DeadlineExceeded, PermissionDenied, Reason, Unavailable
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.classes import CallClass, class_of
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import StreamOptions

_LOG = logging.getLogger(__name__)

# The current authority of a caller: its scopes, or the error that ends its streams, or None if it is unknown now.
Standing: TypeAlias = frozenset[str] | BossjyError | None
# Returns the standing of each caller, in order.
Recheck = Callable[[Sequence[Caller]], Awaitable[Sequence[Standing]]]


class OpenStream:
    """State of one stream for the watchdog. Times are of the monotonic clock."""

    __slots__ = ("caller", "closed", "error", "heard", "scope", "sending", "task", "verified")

    def __init__(self, task: asyncio.Task[object], caller: Caller | None, scope: str, now: float) -> None:
        self.task, self.caller, self.scope = task, caller, scope
        self.heard = now  # time of the last message in either direction
        self.sending = 0.0  # time since which a message waits to be sent; 0: none does
        self.verified = now  # time at which the caller's authority was last known
        self.error: BossjyError | None = None  # the reason if the watchdog ended the stream
        self.closed = False  # the call has left the chain, and sends its status

    def end(self, error: BossjyError) -> None:
        """Cancel the call; it ends with `error`."""
        if self.error is None and not self.closed:
            self.error = error
            self.task.cancel()


class StreamGuard:
    """The interceptor that registers streams, and the task that ends them."""

    def __init__(self, options: StreamOptions, recheck: Recheck) -> None:
        self._options, self._recheck = options, recheck
        self._open: set[OpenStream] = set()

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Watch a stream while it is open. Unary calls and health watches pass."""
        if method.grpc_type == "unary" or class_of(method) is CallClass.HEALTH:
            return proceed
        scope = method.access.scope

        async def streams(call: Call) -> None:
            task = asyncio.current_task()
            if task is None:
                raise LookupError("a call runs in a task")
            stream = OpenStream(task, call.context.caller, scope, time.monotonic())
            _note_traffic(call, stream)
            self._open.add(stream)
            try:
                await proceed(call)
            except BaseException:
                if stream.error is None or task.uncancel() > 0:  # the client cancelled as well
                    raise
                raise stream.error from None
            finally:
                stream.closed = True
                self._open.discard(stream)
            if stream.error is not None:  # the work swallowed the cancellation
                task.uncancel()
                raise stream.error

        return streams

    async def run(self) -> None:
        """Check all streams every `check_s`, until cancelled."""
        while True:
            await asyncio.sleep(self._options.check_s)
            try:
                self.check_traffic(time.monotonic())
                async with asyncio.timeout(max(1.0, self._options.check_s)):
                    await self.check_authority()
            except TimeoutError:
                self._unknown(self._open, time.monotonic())
            except Exception:  # noqa: BLE001 - the watchdog must survive any fault of one round
                _LOG.exception("open streams could not be checked; the next round tries again")

    def check_traffic(self, now: float) -> None:
        """End streams that are idle or unread."""
        idle_s, unsent_s = self._options.idle_s, self._options.unsent_s
        for stream in self._open:
            if stream.sending:
                if unsent_s and now - stream.sending > unsent_s:
                    stream.end(_unread(unsent_s))
            elif idle_s and now - stream.heard > idle_s:
                stream.end(_idle(idle_s))

    async def check_authority(self) -> None:
        """End streams whose callers have lost the right to them."""
        by_caller: dict[Caller, list[OpenStream]] = {}
        for stream in self._open:
            if stream.caller is not None:
                by_caller.setdefault(stream.caller, []).append(stream)
        if not by_caller:
            return
        began = time.monotonic()
        standings = await self._recheck(list(by_caller))
        for streams, standing in zip(by_caller.values(), standings, strict=True):
            if standing is None:
                self._unknown(streams, began)
            elif isinstance(standing, BossjyError):
                for stream in streams:
                    stream.end(standing)
            else:
                _hold_to(streams, standing, began)

    def _unknown(self, streams: set[OpenStream] | list[OpenStream], now: float) -> None:
        """Note that the authority of these streams is unknown; after a while they end."""
        for stream in streams:
            if stream.caller is not None and now - stream.verified > self._options.unverified_s:
                stream.end(_unverified())


def _note_traffic(call: Call, stream: OpenStream) -> None:
    """Record the times of the call's messages in `stream`."""
    write = call.send

    async def send(raw: bytes) -> None:
        stream.sending = time.monotonic()
        await write(raw)
        stream.sending, stream.heard = 0.0, time.monotonic()

    call.send = send
    if call.raw_requests is not None:
        call.raw_requests = _heard(call.raw_requests, stream)


async def _heard(raws: AsyncIterator[bytes], stream: OpenStream) -> AsyncIterator[bytes]:
    async for raw in raws:
        stream.heard = time.monotonic()
        yield raw


def _hold_to(streams: list[OpenStream], scopes: frozenset[str], now: float) -> None:
    for stream in streams:
        stream.verified = now
        if stream.scope and stream.scope not in scopes:
            stream.end(
                PermissionDenied(
                    Reason.SCOPE_MISSING,
                    f"these credentials have lost the scope {stream.scope}: ask an administrator of your tenant",
                    metadata={"scope": stream.scope, "cause": "RIGHTS_CHANGED"},
                )
            )


def _idle(idle_s: float) -> BossjyError:
    text = f"this stream had no message for {idle_s:g} s: open it again when there is something to send or receive"
    return DeadlineExceeded(Reason.STREAM_IDLE, text, metadata={"limit_s": f"{idle_s:g}"}, retry_after_s=1.0)


def _unread(unsent_s: float) -> BossjyError:
    text = f"a message waited {unsent_s:g} s for its client to read it: call again and read without long pauses"
    return DeadlineExceeded(Reason.STREAM_UNREAD, text, metadata={"limit_s": f"{unsent_s:g}"}, retry_after_s=1.0)


def _unverified() -> BossjyError:
    text = "the database did not answer, so these credentials could not be checked: call again after a moment"
    return Unavailable(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=1.0)
