"""Fair shares of the slots of a class: the number of slots that each tenant may hold.

`limits` gives a call its slot before its tenant is known. Here, once the tenant is known, a call whose tenant already
holds its share returns the slot and waits for another call of its tenant to end. So the calls of a few tenants, however
long they run or stay open, leave slots for a tenant that holds none. The rule is that of `storage/shares.py`: a tenant
may hold a multiple of the free slots.
"""

from __future__ import annotations

import asyncio

from bossjy_server.rpc.slots import NoPlace, Slots


class ClassShare:
    """Counts the slots of one class by tenant. At most `waiting_most` calls wait. For one event loop.

    `share`: the part of the slots that a tenant may hold while no other holds any, above 0 and at most 1.
    """

    def __init__(self, slots: Slots, share: float, waiting_most: int) -> None:
        self._slots, self._waiting_most = slots, waiting_most
        self._factor = share / (1 - share) if share < 1 else None
        self._held: dict[str, int] = {}
        self._waiting: dict[asyncio.Future[None], str] = {}  # in the order of arrival

    def enter_now(self, tenant: str) -> bool:
        """Count a call that holds a slot, unless its tenant already holds its share."""
        held = self._held.get(tenant, 0)
        if held and not self._may(held, self._slots.running):
            return False
        self._held[tenant] = held + 1
        return True

    async def enter(self, tenant: str, wait_s: float) -> None:
        """Return the slot and wait, at most `wait_s`, for the tenant's turn and a slot. Raises NoPlace.

        The call holds a slot again when this returns, and also when it raises: the code that gave it the slot takes it
        back.
        """
        if len(self._waiting) >= self._waiting_most or wait_s <= 0:
            self._slots.shed += 1
            raise NoPlace
        self._slots.leave()
        try:
            async with asyncio.timeout(wait_s) as limit:
                while True:
                    await self._turn(tenant)
                    await self._slots.enter((limit.when() or 0.0) - asyncio.get_running_loop().time())
                    if self.enter_now(tenant):
                        return
                    self._slots.leave()
        except BaseException as error:
            self._slots.running += 1
            if isinstance(error, TimeoutError):
                self._slots.shed += 1
                raise NoPlace from None
            raise

    def leave(self, tenant: str) -> None:
        """End a call of the tenant. The caller returns its slot in the same step of the loop."""
        held = self._held[tenant] - 1
        if held:
            self._held[tenant] = held
        else:
            del self._held[tenant]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._wake)

    def _may(self, held: int, running: int) -> bool:
        """True if a tenant that holds `held` slots may have one more while `running` calls run."""
        return self._factor is None or held <= self._factor * (self._slots.running_most - running)

    async def _turn(self, tenant: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = tenant
        try:
            await turn
        finally:
            self._waiting.pop(turn, None)

    def _wake(self) -> None:
        """Admit one call: of the tenants that hold least and may have more, the call that waits longest."""
        running = self._slots.running + 1
        held = {turn: self._held.get(tenant, 0) for turn, tenant in self._waiting.items() if not turn.done()}
        able = [turn for turn, count in held.items() if not count or self._may(count, running)]
        if able:
            min(able, key=held.__getitem__).set_result(None)
