"""Circuit breaker: a dependency that does not answer gets a pause, in which calls that need it fail immediately.

Three states. Closed: every use goes through, consecutive failures are counted. Open: none goes through for `open_s`,
which doubles with each failed trial. Half open: one use goes through as a trial; its result closes the breaker or opens
it again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """The values of the metric `bossjy_breaker_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class BreakerOpen(Exception):
    """The dependency has a pause; it is tried again in `retry_after_s`. The use did not take place."""

    def __init__(self, part: str, retry_after_s: float) -> None:
        super().__init__(f"{part} did not answer and is not called for {retry_after_s:.2g} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """`failures` consecutive failures open it, for `open_s` at first and `longest_open_s` at most."""

    failures: int = 3
    open_s: float = 0.5
    longest_open_s: float = 5.0


class Breaker:
    """The breaker of one dependency, for one event loop. Concurrent uses by several tasks are fine."""

    def __init__(
        self, part: str, options: BreakerOptions | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.part = part
        self.state = State.CLOSED
        self.opened = 0  # number of times it opened
        self.refused = 0  # number of uses it refused
        self._options, self._clock = options or BreakerOptions(), clock
        self._failures = 0
        self._open_s = self._options.open_s
        self._until = 0.0

    def admit(self) -> None:
        """Request admission before a use. Raises BreakerOpen. Afterwards call `succeed`, `fail` or `abandon`."""
        if self.state is State.CLOSED:
            return
        now = self._clock()
        if now < self._until:
            self.refused += 1
            raise BreakerOpen(self.part, self._until - now)
        # One trial at a time: others wait for its end, or for the same time again if it never ends.
        self.state = State.HALF_OPEN
        self._until = now + self._open_s

    def succeed(self) -> None:
        """Record that the dependency answered."""
        self._failures = 0
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._open_s = self._options.open_s

    def fail(self) -> None:
        """Record that the dependency did not answer, or answered that it cannot serve."""
        self._failures += 1
        if self.state is State.HALF_OPEN:
            self._open_s = min(2 * self._open_s, self._options.longest_open_s)
            self._open()
        elif self.state is State.CLOSED and self._failures >= self._options.failures:
            self._open()

    def trip(self) -> None:
        """Open immediately: the dependency is known not to answer."""
        if self.state is not State.OPEN:
            self._open()

    def abandon(self) -> None:
        """Record that the use ended for an unrelated reason: the next use is the trial."""
        if self.state is State.HALF_OPEN:
            self._until = self._clock()

    def _open(self) -> None:
        self.state = State.OPEN
        self.opened += 1
        # Spread, so that a thousand processes do not try at the same moment.
        self._until = self._clock() + self._open_s * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret

    @contextmanager
    def use(self, *failures: type[BaseException]) -> Iterator[None]:
        """One use: `failures` raised inside count against the dependency, other errors do not."""
        self.admit()
        try:
            yield
        except failures:
            self.fail()
            raise
        except BaseException:
            self.abandon()
            raise
        self.succeed()
