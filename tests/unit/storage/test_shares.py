"""Fair shares: the amount that a tenant may hold, and the order of waiting tenants."""

from __future__ import annotations

import asyncio

import pytest

from bossjy_server.storage.shares import NoShare, Shares


def hold_most(shares: Shares, holder: str) -> int:
    """Take as many as the holder may have. Returns their number."""
    held = 0
    while shares.enter_now(holder):
        held += 1
    return held


@pytest.mark.parametrize(
    ("size", "share", "alone"),
    [(20, 0.5, 10), (5, 0.5, 3), (3, 0.5, 2), (2, 0.5, 1), (1, 0.5, 1), (20, 0.75, 15), (20, 1.0, 20)],
)
def test_a_single_tenant_gets_its_share(size: int, share: float, alone: int) -> None:
    assert hold_most(Shares(size, share), "a") == alone


def test_greedy_tenants_leave_some_for_one_that_holds_none() -> None:
    shares = Shares(20, 0.5)
    held = [hold_most(shares, name) for name in "abcd"]
    assert sum(held) < 20
    assert held == sorted(held, reverse=True)
    assert shares.enter_now("e")


def test_the_service_itself_has_no_share() -> None:
    shares = Shares(4, 0.5)
    assert hold_most(shares, "") == 4


async def test_a_wait_ends_and_says_whose_fault_it_is() -> None:
    shares = Shares(4, 0.5, queued_most=1)
    assert hold_most(shares, "a") == 2
    with pytest.raises(NoShare) as own:
        await shares.enter("a", 0.01)
    assert hold_most(shares, "") == 2
    waiting = asyncio.create_task(shares.enter("b", 0.05))
    await asyncio.sleep(0)
    with pytest.raises(NoShare):  # the queue is full
        await shares.enter("c", 10)
    with pytest.raises(NoShare) as full:
        await waiting
    assert (own.value.own, full.value.own) == (True, False)
    assert shares.taken == 4


async def test_tenants_take_turns_however_many_calls_each_has_waiting() -> None:
    shares = Shares(1, 1.0)
    order: list[str] = []

    async def work(holder: str) -> None:
        await shares.enter(holder, 10)
        order.append(holder)
        await asyncio.sleep(0)
        shares.leave(holder)

    await asyncio.gather(*(work(name) for name in "aaaaaabbc"))
    assert "".join(order) == "aabcabaaa"
    assert shares.taken == 0


async def test_a_position_in_the_queue_is_no_advantage_over_a_tenant_that_holds_less() -> None:
    shares = Shares(3, 1.0)
    assert hold_most(shares, "a") == 3
    first = asyncio.create_task(shares.enter("a", 10))
    await asyncio.sleep(0)
    second = asyncio.create_task(shares.enter("b", 10))
    await asyncio.sleep(0)
    shares.leave("a")
    await second
    assert not first.done()
    shares.leave("b")
    await first


async def test_a_unit_that_comes_as_the_wait_ends_is_passed_on() -> None:
    shares = Shares(1, 1.0)
    await shares.enter("a", 1)
    waiting = asyncio.create_task(shares.enter("b", 10))
    await asyncio.sleep(0)
    shares.leave("a")  # it belongs to the task, which does not know yet
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert shares.taken == 0
    await shares.enter("c", 0)
    with pytest.raises(NoShare):
        await shares.enter("d", 0)
