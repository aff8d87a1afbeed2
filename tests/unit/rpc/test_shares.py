"""The share of a class's slots for one tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from bossjy_server.rpc.classes import CallClass
from bossjy_server.rpc.options import LimitOptions
from bossjy_server.rpc.slots import NoPlace, Slots
from bossjy_server.rpc.tenant_shares import ClassShare
from tests.unit.rpc.test_chain import call, details_of, refused
from tests.unit.rpc.test_limits import Phone

Serve = Callable[..., Any]


class Class:
    """A class's slots, and its tenants' calls as `limits` and `quotas` make them."""

    def __init__(self, size: int, *, queued: int = 100, share: float = 0.5) -> None:
        self.slots = Slots(size, queued)
        self.share = ClassShare(self.slots, share, queued)

    async def begin(self, tenant: str, wait_s: float = 0) -> None:
        await self.slots.enter(wait_s)
        try:
            if not self.share.enter_now(tenant):
                await self.share.enter(tenant, wait_s)
        except BaseException:
            self.slots.leave()
            raise

    def end(self, tenant: str) -> None:
        self.share.leave(tenant)
        self.slots.leave()

    async def fill(self, tenant: str) -> int:
        """Begin as many calls as the tenant may. Returns their number."""
        count = 0
        try:
            while True:
                await self.begin(tenant)
                count += 1
        except NoPlace:
            return count


@pytest.mark.parametrize(
    ("size", "share", "alone"), [(64, 0.5, 32), (2, 0.5, 1), (1, 0.5, 1), (64, 0.75, 48), (64, 1, 64)]
)
async def test_a_single_tenant_gets_its_share(size: int, share: float, alone: int) -> None:
    assert await Class(size, share=share).fill("a") == alone


async def test_four_tenants_leave_slots_for_a_fifth() -> None:
    of = Class(64)
    held = [await of.fill(name) for name in "abcd"]
    assert held == [32, 16, 8, 4]
    await of.begin("e")
    assert of.slots.running == 61


async def test_a_call_beyond_the_share_waits_for_one_of_its_tenant_and_holds_no_slot_meanwhile() -> None:
    of = Class(4)
    assert await of.fill("a") == 2
    waiting = asyncio.create_task(of.begin("a", 10))
    await asyncio.sleep(0.01)
    assert of.slots.running == 2
    await of.begin("b")
    of.end("a")
    await waiting
    assert of.slots.running == 3


@pytest.mark.parametrize("ends", ["timeout", "cancel"])
async def test_a_wait_that_ends_gives_nothing_away_twice(ends: str) -> None:
    of = Class(2, queued=5)
    await of.begin("a")
    waiting = asyncio.create_task(of.begin("a", 0.1))
    await asyncio.sleep(0.01)
    await of.begin("b")
    queued = asyncio.create_task(of.begin("c", 5))  # the class is full: it waits for a slot
    await asyncio.sleep(0.01)
    if ends == "cancel":
        waiting.cancel()
    with pytest.raises(NoPlace if ends == "timeout" else asyncio.CancelledError):
        await waiting
    assert (of.slots.running, queued.done()) == (2, False)
    of.end("b")
    await queued
    of.end("c")
    of.end("a")
    assert of.slots.running == 0
    await of.begin("a")


async def test_the_waiting_have_a_bound() -> None:
    of = Class(4, queued=1)
    await of.fill("a")
    waiting = asyncio.create_task(of.begin("a", 10))
    await asyncio.sleep(0.01)
    with pytest.raises(NoPlace):
        await of.begin("a", 10)
    of.end("a")
    await waiting
    assert of.slots.running == 2


async def test_through_the_chain(serve: Serve) -> None:
    phone, options = Phone(), LimitOptions(running={"phone": 2}, queued={"phone": 4})
    async with serve(phone, limit_options=options) as served:
        running = asyncio.create_task(call(served, "slow"))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(call(served, "1"))
        busy = await refused(call(served))  # after its wait
        assert busy.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        info = details_of(busy)["ErrorInfo"]
        assert (info.reason, info.metadata) == ("OVERLOADED", {"class": "phone", "subject": "tenant"})
        await asyncio.gather(waiting, return_exceptions=True)
        another = asyncio.create_task(call(served, "1"))
        await asyncio.sleep(0.1)
        phone.go.set()
        await asyncio.gather(running, another)
        assert served.limits.slots[CallClass.PHONE].running == 0
