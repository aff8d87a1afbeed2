"""Single flight: one works, the others wait, and a short deadline of one does not affect the others."""

from __future__ import annotations

import asyncio

import pytest

from bossjy_server.errors import DeadlineExceeded, NotFound, Reason
from bossjy_server.storage.single_flight import SingleFlight


class Work:
    """Ends when the gate opens: with its errors first, each once, then with its number."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.runs, self.gate = list(errors), 0, asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.runs


async def started(flight: SingleFlight[str, int], work: Work, count: int, name: str = "a") -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(flight.run(name, work)) for _ in range(count)]
    await asyncio.sleep(0.01)
    return tasks


async def test_one_works_for_all_of_its_name() -> None:
    flight, work, other = SingleFlight[str, int](), Work(), Work()
    tasks = [*await started(flight, work, 10), *await started(flight, other, 1, "b")]
    work.gate.set()
    other.gate.set()
    assert await asyncio.gather(*tasks) == [1] * 11
    assert (work.runs, other.runs, flight.joined) == (1, 1, 9)
    assert await flight.run("a", work) == 2  # a completed result is not returned again


async def test_an_error_goes_to_all_and_is_not_kept() -> None:
    flight, work = SingleFlight[str, int](), Work(NotFound("thing"))
    tasks = await started(flight, work, 3)
    work.gate.set()
    assert [type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == [NotFound] * 3
    assert await flight.run("a", work) == 2


async def test_work_continues_when_the_task_that_began_it_ends() -> None:
    flight, work = SingleFlight[str, int](), Work()
    first, *others = await started(flight, work, 3)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.gate.set()
    assert await asyncio.gather(*others) == [1, 1]


async def test_after_the_deadline_of_one_another_works_for_the_rest() -> None:
    flight, work = SingleFlight[str, int](), Work(DeadlineExceeded(Reason.DEADLINE_EXCEEDED, "no time"))
    first, *others = await started(flight, work, 10)
    work.gate.set()
    with pytest.raises(DeadlineExceeded):
        await first
    assert await asyncio.gather(*others) == [2] * 9
    assert work.runs == 2
