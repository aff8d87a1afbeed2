"""Slots for simultaneous calls, with a queue bounded in length and time."""

from __future__ import annotations

import asyncio


class NoPlace(Exception):
    """All slots and the queue are full, or no slot became free in time."""


class Slots:
    """At most `running_most` simultaneous calls; at most `queued_most` wait for a slot, first come, first served.

    For one event loop. A call that takes its slot back without a queue (`shares`) can exceed `running_most` until it
    leaves; then its slot goes to nobody. `running`, `queued` and `shed` are for the metrics.
    """

    def __init__(self, running_most: int, queued_most: int) -> None:
        self.running_most, self.queued_most = running_most, queued_most
        self.running = 0
        self.shed = 0
        self._queue: dict[asyncio.Future[None], None] = {}  # in the order of arrival

    @property
    def queued(self) -> int:
        """The number of waiting calls."""
        return len(self._queue)

    def enter_now(self) -> bool:
        """Take a slot if one is free and nobody waits."""
        if self.running >= self.running_most or self._queue:
            return False
        self.running += 1
        return True

    async def enter(self, wait_s: float) -> None:
        """Take a slot, after a wait of at most `wait_s`. Raises NoPlace."""
        if self.enter_now():
            return
        if len(self._queue) >= self.queued_most or wait_s <= 0:
            self.shed += 1
            raise NoPlace
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        try:
            async with asyncio.timeout(wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # the slot came just as the wait ended
            self._queue.pop(turn, None)
            if isinstance(error, TimeoutError):
                self.shed += 1
                raise NoPlace from None
            raise

    def leave(self) -> None:
        """Return the slot: to the first in the queue, or to nobody."""
        while self._queue and self.running <= self.running_most:
            turn = next(iter(self._queue))
            del self._queue[turn]
            if not turn.done():  # otherwise its wait has just ended
                turn.set_result(None)
                return
        self.running -= 1
