"""A steady load: calls begin at their times, independent of the outcome of earlier ones, and all are counted."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from tests.performance.faults.calls import Caller, Outcome

MOST_RUNNING = 3000


class Load:
    """Runs `per_second` calls per second of a mix of kinds while its block runs; then waits for those in flight."""

    def __init__(self, caller: Caller, mix: Mapping[str, int], per_second: float) -> None:
        self.caller, self.per_second = caller, per_second
        self._kinds = itertools.cycle(_spread(mix))
        self._running: set[asyncio.Task[Outcome]] = set()
        self._outcomes_before = len(caller.outcomes)
        self.not_sent = 0  # calls that were due while too many ran

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._running:
            await asyncio.gather(*self._running)

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of the calls of this load."""
        return self.caller.outcomes[self._outcomes_before :]

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            now = time.monotonic()
            while due <= now:
                due += 1 / self.per_second
                self._begin(next(self._kinds))
            await asyncio.sleep(max(0.001, due - time.monotonic()))

    def _begin(self, kind: str) -> None:
        if len(self._running) >= MOST_RUNNING:
            self.not_sent += 1
            return
        task = asyncio.create_task(self.caller.call(kind))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _spread(mix: Mapping[str, int]) -> list[str]:
    """The kinds, each as often as the mix says, evenly distributed."""
    places = [((turn + 0.5) / count, kind) for kind, count in mix.items() for turn in range(count)]
    return [kind for _, kind in sorted(places)]


@dataclass(frozen=True)
class Tally:
    """The outcomes of some calls."""

    sent: int
    ok: int
    refused: Mapping[str, int]  # by code and reason
    failed: Mapping[str, int]  # by kind, code and text

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Tally:
        all_of = list(outcomes)
        return cls(
            sent=len(all_of),
            ok=sum(one.ok for one in all_of),
            refused=Counter(f"{one.code} {one.reason}" for one in all_of if one.refused),
            failed=Counter(f"{one.kind}: {one.code} {one.reason} {one.message[:60]}" for one in all_of if one.failed),
        )


def between(outcomes: Sequence[Outcome], begin: float, end: float) -> list[Outcome]:
    """The calls that began in a period."""
    return [one for one in outcomes if begin <= one.began < end]


def recovery_s(outcomes: Sequence[Outcome], healed: float) -> float:
    """Seconds from `healed` to the begin of the first call after the last unanswered one."""
    bad = [one.began for one in outcomes if not one.ok and one.began >= healed]
    return max(bad) - healed if bad else 0.0
