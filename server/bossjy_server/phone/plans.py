"""Versions of the numbering plan that can be compared: shipped ones, and every one that this server ever ran on."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bossjy_numbering import Plan, PlanDiff, compile_plan, diff_plans, read_snapshot, write_snapshot
from bossjy_server.errors import NotFound, Reason

_SHIPPED = Path(__file__).parent / "snapshots"
_SUFFIX = ".plan"
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}")
# A difference has some hundred kilobytes, and takes seconds to count.
_KEPT_DIFFERENCES = 8


class Plans:
    """Snapshots in `folder`, beside those that ship with the service. The running plan's own is written at start."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = folder / f"{plan.version}{_SUFFIX}"
        if not own.exists():
            write_snapshot(own)
        self._differences: dict[tuple[str, str], PlanDiff] = {}
        self._counting = asyncio.Lock()

    def versions(self) -> list[str]:
        """Versions that can be compared, oldest first."""
        found = {path.stem for folder in (_SHIPPED, self._folder) for path in folder.glob(f"*{_SUFFIX}")}
        return sorted((one for one in found if _VERSION.fullmatch(one)), key=_order)

    async def diff(self, from_version: str, to_version: str) -> PlanDiff:
        """How the later version differs, exactly. Raises NotFound(PLAN_UNKNOWN) for a version without a snapshot.

        The first count of two versions takes seconds of one core, in a process of its own; then it is kept.
        """
        snapshots = self._snapshot(from_version), self._snapshot(to_version)
        key = from_version, to_version
        async with self._counting:  # one at a time: the second caller finds it kept
            if key not in self._differences:
                while len(self._differences) >= _KEPT_DIFFERENCES:
                    self._differences.pop(next(iter(self._differences)))
                self._differences[key] = await _in_process(*snapshots)
            return self._differences[key]

    def _snapshot(self, version: str) -> Path:
        if _VERSION.fullmatch(version):
            for folder in (self._folder, _SHIPPED):
                path = folder / f"{version}{_SUFFIX}"
                if path.is_file():
                    return path
        raise NotFound(
            "plan",
            reason=Reason.PLAN_UNKNOWN,
            message="the server holds no snapshot of this version: GetNumberingPlan lists those that it has",
        )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


async def _in_process(before: Path, after: Path) -> PlanDiff:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _count, before, after)


def _count(before: Path, after: Path) -> PlanDiff:
    tables = [compile_plan(read_snapshot(path.read_bytes())) for path in (before, after)]
    return diff_plans(tables[0], tables[1])
