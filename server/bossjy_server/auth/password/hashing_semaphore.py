"""Hashing semaphore: passwords are hashed on all threads, in a flood on one fewer so that one core stays free."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# This number of refusals within this time is a flood. Fewer come from a short burst, which all threads clear sooner:
# with one thread fewer at the first refusal, a burst became a flood.
_FLOOD_REFUSALS, _FLOOD_S = 10, 1.0


class HashingSemaphore:
    """Slots on `threads` threads, in the order of requests. For one event loop. The caller decides who may wait."""

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._refused_at = deque([float("-inf")] * _FLOOD_REFUSALS, _FLOOD_REFUSALS)
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def note_refusal(self) -> None:
        """Record that a call was refused for want of slots."""
        self._refused_at.append(self._clock())

    @property
    def most(self) -> int:
        """The current limit of simultaneous slots."""
        flood = self._clock() - self._refused_at[0] < _FLOOD_S
        return max(1, self._threads - 1) if flood else self._threads

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot, and keep it while the block runs."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._admit()
        try:
            await mine
            yield
        finally:
            # A request cancelled before its slot came is skipped.
            if not mine.cancelled():
                self._running -= 1
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self.most:
            first = self._waiting.popleft()
            if not first.cancelled():
                self._running += 1
                first.set_result(None)
