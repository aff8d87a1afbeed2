"""Warm-up of a process before it serves: bounded in time, then in the background. A failure costs only the warmth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bossjy_numbering import Format, Plan
from bossjy_server.blocking import in_thread
from bossjy_server.errors import BossjyError
from bossjy_server.phone.details import DetailTables
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.recent import RecentTenants
from bossjy_server.storage.redis import GuardedRedis
from bossjy_server.tasks import end_tasks
from bossjy_server.telemetry.logging import Log
from bossjy_server.tenant_settings import KnownTenants

_NUMBERS = ("+8613800138000", "+14155550123", "+442071838750")
_NOTE_S = 30.0

Job = Callable[[], Awaitable[object]]


async def warm_up(jobs: Mapping[str, Job], wait_s: float, log: Log) -> asyncio.Task[None]:
    """Run the jobs, and wait for them at most `wait_s`. The task that is returned runs the rest; its caller ends it."""
    began = time.monotonic()

    async def run(name: str, job: Job) -> None:
        try:
            await job()
        except (BossjyError, OSError) as error:
            log.warning("not warm", part=name, error=type(error).__name__)

    async def run_all() -> None:
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(run(name, job))
        log.info("warm", ms=int((time.monotonic() - began) * 1000))

    task = asyncio.create_task(run_all())
    await asyncio.wait({task}, timeout=wait_s)
    return task


@asynccontextmanager
async def warmed(
    *,
    plan: Plan,
    details: DetailTables,
    plan_folder: Path,
    database: Database,
    redis: GuardedRedis,
    tenants: KnownTenants,
    wait_s: float,
    log: Log,
) -> AsyncIterator[None]:
    """Load what calls ask for first, for at most `wait_s`; note the latest tenants while the block runs. 0: nothing."""
    if not wait_s:
        yield
        return
    # Their making takes ten seconds of a core: at the first use, not at every first start.
    has_details = await in_thread(lambda: any(plan_folder.glob("enrich-*.tables")))
    recent = RecentTenants(redis)

    async def connect() -> None:
        async with database.system():
            pass

    async def learn() -> None:
        await tenants.learn(await recent.read())

    jobs: dict[str, Job] = {"plan": lambda: in_thread(_touch, plan), "database": connect, "tenants": learn}
    if has_details:
        jobs["details"] = details.load
    tasks = [await warm_up(jobs, wait_s, log), asyncio.create_task(_note(recent, tenants.recent))]
    try:
        yield
    finally:
        await end_tasks(tasks)


def _touch(plan: Plan) -> None:
    """Build what the plan builds at its first use."""
    for text in _NUMBERS:
        plan.format(plan.number(text), Format.NATIONAL)
    plan.column(list(_NUMBERS))


async def _note(recent: RecentTenants, tenants: Callable[[], Sequence[str]]) -> None:
    """Store the tenants of this process for the next start, periodically; never returns."""
    while True:
        await asyncio.sleep(_NOTE_S)
        await recent.note(tenants())
