"""Retries: few, within the budget, within the deadline."""

from __future__ import annotations

import time

import pytest

from bossjy_server.context import CallContext, enter_call
from bossjy_server.storage.retry import Retries, RetryBudget


class Work:
    """Fails the given number of times, then answers."""

    def __init__(self, failures: int, error: type[Exception] = OSError) -> None:
        self.left, self.error, self.runs = failures, error, 0

    async def __call__(self) -> str:
        self.runs += 1
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


async def test_failed_work_is_retried_a_few_times() -> None:
    retries = Retries(OSError, attempts=3)
    work = Work(2)
    assert await retries.run(work) == "done"
    assert (work.runs, retries.retried) == (3, 2)
    work = Work(3)
    with pytest.raises(OSError):
        await retries.run(work)
    assert work.runs == 3


async def test_other_errors_are_not_repeated() -> None:
    work = Work(1, KeyError)
    with pytest.raises(KeyError):
        await Retries(OSError).run(work)
    assert work.runs == 1


async def test_the_budget_ends_retries() -> None:
    retries = Retries(OSError, first_wait_s=0.0, longest_wait_s=0.0)
    for _ in range(50):
        with pytest.raises(OSError):
            await retries.run(Work(9))
    assert 10 <= retries.retried <= 16


def test_uses_earn_retries() -> None:
    budget = RetryBudget(burst=1)
    assert budget.spend()
    assert not budget.spend()
    for _ in range(11):
        budget.earn()
    assert budget.spend()


async def test_no_retry_outlasts_the_caller() -> None:
    enter_call(CallContext("id", "method", deadline=time.monotonic() + 0.05))
    work = Work(1)
    with pytest.raises(OSError):
        await Retries(OSError).run(work)
    assert work.runs == 1
