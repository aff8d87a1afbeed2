"""Retries of failed uses: only safe ones, few, with random delays, within a budget and a deadline.

The budget keeps retries from making an outage worse: each use earns a tenth of a retry, each retry costs one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from bossjy_server.context import remaining_s

T = TypeVar("T")


class RetryBudget:
    """The retries that the uses of one dependency may have: a tenth of them, and `burst` at once."""

    def __init__(self, burst: float = 10.0, share: float = 0.1) -> None:
        self._tokens = self._burst = burst
        self._share = share

    def earn(self) -> None:
        """Record the begin of a use."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def spend(self) -> bool:
        """True if a retry is allowed; takes it from the budget."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Retries:
    """Repeats a use of one dependency. Pass only work that is safe to repeat."""

    def __init__(
        self, *errors: type[BaseException], attempts: int = 3, first_wait_s: float = 0.02, longest_wait_s: float = 0.2
    ) -> None:
        self.retried = 0  # number of retries
        self._errors = errors
        self._budget = RetryBudget()
        self._longest_wait_s = longest_wait_s
        self._attempts = attempts
        self._wait = wait_random_exponential(multiplier=first_wait_s, max=longest_wait_s)

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, or its last error, within the caller's deadline."""
        self._budget.earn()
        try:
            return await work()  # nearly always; tenacity is used only after a failure
        except self._errors as error:
            if self._attempts < 2 or not self._may_repeat():
                raise
            return await self._again(work, error)

    async def _again(self, work: Callable[[], Awaitable[T]], first: BaseException) -> T:
        failed = [first]

        async def second_and_later() -> T:
            if failed:
                raise failed.pop()
            self.retried += 1
            return await work()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(self._errors),
            wait=self._wait,
            # The first attempt was made above.
            stop=lambda state: stop_after_attempt(self._attempts)(state) or self._spent(state),
            reraise=True,
        )
        return await retrying(second_and_later)

    def _spent(self, state: RetryCallState) -> bool:
        return state.attempt_number > 1 and not self._may_repeat()

    def _may_repeat(self) -> bool:
        # A wait beyond the caller's deadline is useless.
        return remaining_s(self._longest_wait_s) >= self._longest_wait_s and self._budget.spend()
