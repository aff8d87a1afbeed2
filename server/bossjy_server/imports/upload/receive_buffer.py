"""Message queue of an upload stream, with a bounded wait that loses no message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from enum import Enum, auto

from bossjy_server.errors import DeadlineExceeded, Reason
from bossjy_server.imports.upload.messages import Message
from bossjy_server.tasks import end_tasks


class Silence(Enum):
    """The reason why there is no message."""

    TIMEOUT = auto()
    END = auto()  # the client sends no more
    DRAINING = auto()


class ReceiveBuffer:
    """Reads one stream. A pending read continues while nobody waits for it."""

    def __init__(self, messages: AsyncIterator[Message], draining: asyncio.Event, idle_s: float) -> None:
        self._messages = messages
        self._idle_s = idle_s
        self._heard = time.monotonic()
        self._read: asyncio.Task[Message | None] | None = None
        self._drain = asyncio.create_task(_wait(draining))

    async def get(self, timeout_s: float) -> Message | Silence:
        """The next message, or the reason for none. Raises DeadlineExceeded(UPLOAD_IDLE) if none came for long."""
        if self._read is None:
            self._read = asyncio.create_task(self._next())
        await asyncio.wait({self._read, self._drain}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._read.done():
            message = self._read.result()
            self._read = None
            self._heard = time.monotonic()
            return Silence.END if message is None else message
        if self._drain.done():
            return Silence.DRAINING
        if time.monotonic() - self._heard > self._idle_s:
            raise DeadlineExceeded(
                Reason.UPLOAD_IDLE, f"no message came for {self._idle_s:g} s: open the upload again to continue it"
            )
        return Silence.TIMEOUT

    async def close(self) -> None:
        """End the pending read."""
        await end_tasks(task for task in (self._read, self._drain) if task is not None)

    async def _next(self) -> Message | None:
        return await anext(self._messages, None)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
