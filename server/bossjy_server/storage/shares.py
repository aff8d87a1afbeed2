"""Fair shares of a bounded resource: how many of it each tenant may hold, and whose turn is next.

A tenant may hold a multiple of what is free. So a tenant that is alone gets most of it, several get about as much each,
and a part stays free for one that holds nothing, without a list of who may come. (The rule is known from switches that
share a buffer: "dynamic threshold", Choudhury and Hahne 1998.) Next is a tenant that holds least, of those the one that
was served least recently, and of its calls the one that waits longest.
"""

from __future__ import annotations

import asyncio


class NoShare(Exception):
    """Nothing came free in time. `own`: the tenant holds its share, and there is more for others."""

    def __init__(self, *, own: bool) -> None:
        super().__init__()
        self.own = own


class Shares:
    """`size` things to hold at once. For one event loop. The holder '' is the service, which has no share to keep.

    `share`: what a tenant may hold while nobody else holds any, above 0 and at most 1. At most `queued_most` wait.
    """

    def __init__(self, size: int, share: float, queued_most: int = 1000) -> None:
        self.size, self._queued_most = size, queued_most
        self.taken = 0
        # How many times what is free a tenant may hold, so that alone it ends at `share` of all. None: no bound.
        self._factor = share / (1 - share) if share < 1 else None
        self._held: dict[str, int] = {}
        self._served: dict[str, int] = {}  # when each tenant of the queue got its last one, counted in turns
        self._turns = 0
        self._queue: dict[asyncio.Future[None], str] = {}  # in the order of their coming

    def enter_now(self, holder: str) -> bool:
        """Take one where the holder may have one more and nobody waits who may."""
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
                self.leave(holder)  # it came in the moment in which the wait ended
            self._queue.pop(turn, None)
            if isinstance(error, TimeoutError):
                raise NoShare(own=self.taken < self.size) from None
            raise

    def leave(self, holder: str) -> None:
        """Give one back, and hand on what is free."""
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
