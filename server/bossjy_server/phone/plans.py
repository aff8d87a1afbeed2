"""Numbering plan versions for comparisons: shipped ones, and all that this server ever ran on."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeAlias

from bossjy_numbering import Plan, PlanDiff, Tables, compile_plan, diff_plans, read_snapshot, write_snapshot
from bossjy_server.blocking import in_thread
from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import NotFound, Reason

_SHIPPED = Path(__file__).parent / "snapshots"
_SUFFIX = ".plan"
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}")
# A difference has some hundred kilobytes, and its computation takes seconds.
_KEPT_DIFFERENCES = 8

# One of the two plans: its tables, or its snapshot.
_Side: TypeAlias = "Tables | Path"


class Plans:
    """Snapshots in `folder`, besides those that ship with the service. The running plan's own is written at start."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = folder / f"{plan.version}{_SUFFIX}"
        if not own.exists():
            write_snapshot(own)
        self._differences = BoundedMap[tuple[str, str], asyncio.Task[PlanDiff]](_KEPT_DIFFERENCES)
        self._counting = asyncio.Lock()

    def versions(self) -> list[str]:
        """Versions that can be compared, oldest first."""
        found = {path.stem for folder in (_SHIPPED, self._folder) for path in folder.glob(f"*{_SUFFIX}")}
        return sorted((one for one in found if _VERSION.fullmatch(one)), key=_order)

    async def diff(self, from_version: str, to_version: str) -> PlanDiff:
        """The exact differences of the later version. Raises NotFound(PLAN_UNKNOWN) for a version without a snapshot.

        The first comparison of two versions takes seconds of one core, in its own process; then the result is kept. A
        caller that does not wait gets it the next time.
        """
        sides = self._side(from_version), self._side(to_version)
        key = from_version, to_version
        if key not in self._differences:
            self._differences.keep(key, asyncio.create_task(self._count(*sides)))
        counting = self._differences[key]
        try:
            return await asyncio.shield(counting)
        finally:
            if counting.done() and (counting.cancelled() or counting.exception()):
                self._differences.pop(key, None)

    async def _count(self, before: _Side, after: _Side) -> PlanDiff:
        async with self._counting:  # one process at a time
            return await in_thread(_in_process, before, after)

    def _side(self, version: str) -> _Side:
        """The running plan has its tables. Those of others are made from their snapshots."""
        return self.plan.tables if version == self.plan.version else self._snapshot(version)

    def _snapshot(self, version: str) -> Path:
        if _VERSION.fullmatch(version):
            for folder in (self._folder, _SHIPPED):
                path = folder / f"{version}{_SUFFIX}"
                if path.is_file():
                    return path
        raise NotFound(
            "plan",
            metadata={"version": version},
            reason=Reason.PLAN_UNKNOWN,
            message="the server has no snapshot of this version: GetNumberingPlan lists those that it has",
        )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _in_process(before: _Side, after: _Side) -> PlanDiff:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_count, before, after).result()


def _count(before: _Side, after: _Side) -> PlanDiff:
    return diff_plans(_tables(before), _tables(after))


def _tables(side: _Side) -> Tables:
    return compile_plan(read_snapshot(side.read_bytes())) if isinstance(side, Path) else side
