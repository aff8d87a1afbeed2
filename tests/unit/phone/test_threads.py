"""Jobs in slices: their order, their shares, and their end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextvars import copy_context
from typing import TypeVar

import pytest

from bossjy_numbering import Steps
from bossjy_server.context import CallContext, Caller, enter_call
from bossjy_server.errors import Reason, ResourceExhausted
from bossjy_server.phone.options import ThreadOptions
from bossjy_server.phone.threads import Threads

Answer = TypeVar("Answer")


@pytest.fixture
def threads() -> Iterator[Threads]:
    opened = Threads(ThreadOptions(threads=2, ahead=3, call_s=0.2))
    yield opened
    opened.close()


def in_steps(function: Callable[[int], Answer]) -> Callable[[int], Steps[Answer]]:
    def steps(one: int) -> Steps[Answer]:
        yield
        return function(one)

    return steps


def endless(ended: threading.Event, going: threading.Event | None = None) -> Steps[None]:
    try:
        while True:
            if going:
                going.set()
            busy(0.0005)
            yield
    finally:
        ended.set()


def busy(seconds: float) -> None:
    """Use so much CPU time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def counted(most: int, read: list[int]) -> AsyncIterator[int]:
    for one in range(most):
        read.append(one)
        yield one


def same(one: int) -> Steps[int]:
    yield
    return one


async def test_answers_come_in_order(threads: Threads) -> None:
    def slower_first(one: int) -> int:
        time.sleep(0.02 if one % 2 == 0 else 0)
        return one

    assert [one async for one in threads.in_order(counted(10, []), in_steps(slower_first))] == list(range(10))
    assert await threads.run(in_steps(slower_first)(4)) == 4
    assert await threads.run(in_steps(slower_first)(5), short=True) == 5


async def test_only_so_many_are_read_ahead(threads: Threads) -> None:
    read: list[int] = []
    answers = threads.in_order(counted(10, read), same)
    for answered in range(2):
        assert await anext(answers) == answered
        while len(read) < 3 + answered:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # more would be read now
        assert read == list(range(3 + answered))
    await answers.aclose()


async def test_two_are_worked_on_at_once(threads: Threads) -> None:
    both = threading.Barrier(2, timeout=60)
    assert len([one async for one in threads.in_order(counted(2, []), in_steps(lambda _one: both.wait()))]) == 2


async def test_a_refused_request_is_told_behind_the_answers_before_it(threads: Threads) -> None:
    async def two_then_none() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    answers = []
    with pytest.raises(LookupError, match="third"):
        async for answer in threads.in_order(two_then_none(), same):
            answers.append(answer)
    assert answers == [1, 2]


async def test_a_failed_answer_is_told_in_its_place(threads: Threads) -> None:
    answers = []
    with pytest.raises(ZeroDivisionError):
        async for answer in threads.in_order(counted(5, []), in_steps(lambda one: 1 // (2 - one))):
            answers.append(answer)
    assert answers == [0, 1]


async def test_a_stream_that_is_left_ends_its_reader(threads: Threads) -> None:
    ended = asyncio.Event()

    async def requests_without_end() -> AsyncGenerator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            ended.set()

    requests = requests_without_end()
    answers = threads.in_order(requests, same)
    assert await anext(answers) == 1
    await answers.aclose()
    await requests.aclose()
    assert ended.is_set()
    assert len(asyncio.all_tasks()) == 1


async def test_the_work_of_a_stream_that_is_left_ends(threads: Threads) -> None:
    ended = [threading.Event() for _ in range(3)]
    going = threading.Event()
    answers = threads.in_order(counted(3, []), lambda one: endless(ended[one], going))
    first = asyncio.ensure_future(anext(answers))
    assert await asyncio.to_thread(going.wait, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await answers.aclose()
    for one in ended[:1]:
        assert await asyncio.to_thread(one.wait, 10)
    assert await threads.run(same(3)) == 3


async def test_the_work_of_a_call_that_is_left_ends(threads: Threads) -> None:
    for short in (False, True):
        ended, going = threading.Event(), threading.Event()
        call = asyncio.ensure_future(threads.run(endless(ended, going), short=short))
        assert await asyncio.to_thread(going.wait, 10)
        assert not ended.is_set()
        call.cancel()
        assert await asyncio.to_thread(ended.wait, 10)


async def test_a_short_job_does_not_wait_for_long_ones(threads: Threads) -> None:
    ends = [threading.Event() for _ in range(20)]
    long = [asyncio.ensure_future(threads.run(endless(one))) for one in ends]
    await asyncio.sleep(0.1)
    for _ in range(5):
        # Twenty jobs of two slices each before it would be 0.08 s of CPU time; without slices it would be never.
        assert await asyncio.wait_for(threads.run(same(1), short=True), 10) == 1
        assert await asyncio.wait_for(threads.run(same(1)), 10) == 1
    # A job that was wrongly expected to be short gives its lane up.
    ends.append(threading.Event())
    long.append(asyncio.ensure_future(threads.run(endless(ends[-1]), short=True)))
    await asyncio.sleep(0.1)
    assert await asyncio.wait_for(threads.run(same(2), short=True), 10) == 2
    for one in long:
        one.cancel()
    for end in ends:
        assert await asyncio.to_thread(end.wait, 10)


async def test_tenants_have_equal_shares() -> None:
    """One tenant with one call beside another with ten: it gets half and not an eleventh."""
    threads = Threads(ThreadOptions(threads=1))
    used = {"many": 0, "one": 0}

    def work(tenant: str) -> Steps[None]:
        while True:
            busy(0.001)
            used[tenant] += 1
            yield

    def begin(tenant: str) -> asyncio.Future[None]:
        def within() -> asyncio.Future[None]:
            caller = Caller(tenant, "user", frozenset(), "owner")
            enter_call(CallContext("id", "method", caller=caller))
            return asyncio.ensure_future(threads.run(work(tenant)))

        return copy_context().run(within)

    calls = [begin("many") for _ in range(10)] + [begin("one")]
    while sum(used.values()) < 300:
        await asyncio.sleep(0.01)
    for call in calls:
        call.cancel()
    threads.close()
    assert 0.35 < used["one"] / sum(used.values()) < 0.65


async def test_a_bounded_call_ends_at_its_limit(threads: Threads) -> None:
    ended = threading.Event()
    with pytest.raises(ResourceExhausted) as caught:
        await threads.run(endless(ended), short=True, bounded=True)
    assert (caught.value.reason, caught.value.metadata) == (Reason.WORK_LIMIT, {"limit_s": "0.2"})
    assert ended.is_set()
    assert await threads.run(same(1), bounded=True) == 1


async def test_what_waits_is_dropped_at_the_end() -> None:
    threads = Threads(ThreadOptions(threads=1))
    calls = [asyncio.ensure_future(threads.run(endless(threading.Event()))) for _ in range(3)]
    await asyncio.sleep(0.05)
    threads.close()
    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*calls, return_exceptions=True))


async def test_a_job_that_ends_as_its_call_leaves(threads: Threads) -> None:
    reached, left = threading.Event(), threading.Event()

    def late(_one: int) -> int:
        reached.set()
        left.wait(10)
        return 1

    call = asyncio.ensure_future(threads.run(in_steps(late)(1)))
    assert await asyncio.to_thread(reached.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    left.set()
    assert await threads.run(same(2)) == 2
