from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest

from bossjy_server.phone.threads import ThreadOptions, Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    opened = Threads(ThreadOptions(threads=2, ahead=3))
    yield opened
    opened.close()


async def counted(most: int, read: list[int]) -> AsyncIterator[int]:
    for one in range(most):
        read.append(one)
        yield one


async def test_answers_come_in_order(threads: Threads) -> None:
    def slower_first(one: int) -> int:
        time.sleep(0.02 if one % 2 == 0 else 0)
        return one

    assert [one async for one in threads.in_order(counted(10, []), slower_first)] == list(range(10))
    assert await threads.run(slower_first, 4) == 4


async def test_only_so_many_are_read_ahead(threads: Threads) -> None:
    read: list[int] = []
    answers = threads.in_order(counted(10, read), lambda one: one)
    assert await anext(answers) == 0
    await asyncio.sleep(0.05)
    assert read == [0, 1, 2]
    assert await anext(answers) == 1
    await asyncio.sleep(0.05)
    assert read == [0, 1, 2, 3]
    await answers.aclose()


async def test_two_are_worked_on_at_once(threads: Threads) -> None:
    both = threading.Barrier(2, timeout=60)
    assert len([one async for one in threads.in_order(counted(2, []), lambda _one: both.wait())]) == 2


async def test_a_refused_request_is_told_behind_the_answers_before_it(threads: Threads) -> None:
    async def two_then_none() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    answers = []
    with pytest.raises(LookupError, match="third"):
        async for answer in threads.in_order(two_then_none(), lambda one: one):
            answers.append(answer)
    assert answers == [1, 2]


async def test_a_failed_answer_is_told_in_its_place(threads: Threads) -> None:
    answers = []
    with pytest.raises(ZeroDivisionError):
        async for answer in threads.in_order(counted(5, []), lambda one: 1 // (2 - one)):
            answers.append(answer)
    assert answers == [0, 1]


async def test_a_stream_that_is_left_ends_its_reader(threads: Threads) -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            ended.set()

    requests = endless()
    answers = threads.in_order(requests, lambda one: one)
    assert await anext(answers) == 1
    await answers.aclose()
    await requests.aclose()
    assert ended.is_set()
    assert len(asyncio.all_tasks()) == 1
