"""Fair shares of a bounded resource: the number that each tenant may hold, and the order of waiting tenants.

A tenant may hold a multiple of the free number. So a single tenant gets most of the resource, several get about equal
shares, and a part stays free for a tenant that holds nothing, without a list of possible tenants. (Switches that share
a buffer use the same rule: "dynamic threshold", Choudhury and Hahne 1998.) The next is a tenant that holds least; of
those, the least recently served; and of its calls, the one that waits longest.
"""

from __future__ import annotations

import asyncio


class NoShare(Exception):
    """Nothing became free in time. `own`: the tenant has its share, and more is free for others."""

    def __init__(self, *, own: bool) -> None:
        super().__init__()
        self.own = own


class Shares:
    """`size` units of a resource. For one event loop. The holder '' is the service, which has no share limit.

    `share`: the part that a tenant may hold while nobody else holds any, above 0 and at most 1. At most `queued_most`
    wait.
    """

    def __init__(self, size: int, share: float, queued_most: int = 1000) -> None:
        self.size, self._queued_most = size, queued_most
        self.taken = 0
        # The multiple of the free number that a tenant may hold, so that a single tenant gets `share` of all. None: no
        # bound.
        self._factor = share / (1 - share) if share < 1 else None
        self._held: dict[str, int] = {}
        self._served: dict[str, int] = {}  # turn number at which each tenant of the queue was last served
        self._turns = 0
        self._queue: dict[asyncio.Future[None], str] = {}  # in the order of arrival

    @property
    def queued(self) -> int:
        """The number of waiting entries."""
        return len(self._queue)

    def enter_now(self, holder: str) -> bool:
        """Take one if the holder may have one more and the queue is empty."""
        if self._queue or not self._may(holder):
            return False
        self._take(holder)
        return True

    async def enter(self, holder: str, wait_s: float) -> None:
        """Take one, after a wait of at most `wait_s`. Raises NoShare."""
        if self._may(holder) and not any(self._may(one) for one in self._queue.values()):
            self._take(holder)
            return
        if len(self._queue) >= self._queued_most or wait_s <= 0:
            raise NoShare(own=self.taken < self.size)
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = holder
        try:
            async with asyncio.timeout(wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave(holder)  # it came just as the wait ended
            self._queue.pop(turn, None)
            if isinstance(error, TimeoutError):
                raise NoShare(own=self.taken < self.size) from None
            raise

    def leave(self, holder: str) -> None:
        """Return one, and pass free ones to the queue."""
        self.taken -= 1
        left = self._held[holder] - 1
        if left:
            self._held[holder] = left
        else:
            del self._held[holder]
        while self._queue and (turn := self._next()) is not None:
            waited = self._queue.pop(turn)
            self._take(waited)
            self._turns += 1
            self._served[waited] = self._turns
            turn.set_result(None)
        if not self._queue:
            self._served.clear()

    def _may(self, holder: str) -> bool:
        free = self.size - self.taken
        held = self._held.get(holder, 0)
        return free > 0 and (not held or not holder or self._factor is None or held <= self._factor * (free - 1))

    def _take(self, holder: str) -> None:
        self.taken += 1
        self._held[holder] = self._held.get(holder, 0) + 1

    def _next(self) -> asyncio.Future[None] | None:
        able = {turn: holder for turn, holder in self._queue.items() if not turn.done() and self._may(holder)}
        return min(able, key=lambda turn: self._rank(able[turn]), default=None)

    def _rank(self, holder: str) -> tuple[int, int]:
        return self._held.get(holder, 0), self._served.get(holder, 0)
