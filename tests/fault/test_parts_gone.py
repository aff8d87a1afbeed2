"""Redis or PostgreSQL stopped, paused, refusing: calls that continue, time of refusals, recovery."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.performance.faults.calls import Caller, Outcome
from tests.performance.faults.parts import Part, Stage

pytestmark = pytest.mark.timeout(600)

NEEDS_POSTGRES = ("me", "contacts", "stats", "import", "login")
RECOVERY_S = 60.0


@asynccontextmanager
async def gone(part: Part, how: str) -> AsyncIterator[None]:
    """The dependency does not answer inside the block."""
    down, up = {"stopped": (part.stop, part.start), "paused": (part.pause, part.resume)}[how]
    await asyncio.to_thread(down)
    try:
        yield
    finally:
        await asyncio.to_thread(up)


async def until(caller: Caller, kind: str, wanted: Callable[[Outcome], bool]) -> Outcome:
    """The first wanted outcome of a kind; fails after RECOVERY_S."""
    began = time.monotonic()
    while not wanted(outcome := await caller.call(kind)):
        assert time.monotonic() - began < RECOVERY_S, outcome
        await asyncio.sleep(0.05)
    return outcome


async def median_s(caller: Caller, kind: str) -> float:
    """The current median duration of a call of a kind."""
    return statistics.median([(await caller.call(kind)).took for _ in range(9)])


async def assert_all_answer(caller: Caller) -> None:
    for kind in ("validate", "stream", *NEEDS_POSTGRES):
        outcome = await until(caller, kind, lambda one: one.ok)
        assert outcome.ok, outcome


@pytest.mark.parametrize("how", ["stopped", "paused"])
async def test_everything_works_without_redis(caller: Caller, parts_to_break: Stage, how: str) -> None:
    quiet = await median_s(caller, "login")
    async with gone(parts_to_break.redis, how):
        for _ in range(3):
            for kind in ("validate", "stream", *NEEDS_POSTGRES):
                outcome = await caller.call(kind)
                assert outcome.ok, outcome
        # The breaker is open: no call waits for Redis any more.
        assert await median_s(caller, "login") < max(0.25, 3 * quiet), quiet
    await assert_all_answer(caller)


@pytest.mark.parametrize("how", ["stopped", "paused"])
async def test_without_postgresql_phone_works_and_the_rest_is_refused_immediately(
    caller: Caller, parts_to_break: Stage, how: str
) -> None:
    quiet = await median_s(caller, "validate")
    async with gone(parts_to_break.postgres, how):
        for kind in NEEDS_POSTGRES:
            refused = await until(caller, kind, lambda one: one.reason == "DATABASE_UNAVAILABLE")
            assert refused.code == "UNAVAILABLE"
            assert refused.retry_after
        for kind in NEEDS_POSTGRES:
            waits = []
            for _ in range(5):
                outcome = await caller.call(kind)
                assert outcome.reason == "DATABASE_UNAVAILABLE", outcome
                waits.append(outcome.took)
            assert sorted(waits)[2] < max(0.25, 20 * quiet), (kind, waits, quiet)
        for kind in ("validate", "stream"):
            outcome = await caller.call(kind)
            assert outcome.ok, outcome
    await assert_all_answer(caller)


async def test_a_postgresql_that_refuses_connections_is_one_that_is_gone(caller: Caller, parts_to_break: Stage) -> None:
    admin = await asyncpg.connect(parts_to_break.postgres.url.replace("/bossjy?", "/postgres?"))
    try:
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS false")
        await admin.fetch("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'bossjy'")
        refused = await until(caller, "me", lambda one: not one.ok)
        assert (refused.code, refused.reason, refused.retry_after) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE", True)
        validated = await caller.call("validate")
        assert validated.ok, validated
    finally:
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS true")
        await admin.close()
    await assert_all_answer(caller)


async def test_the_callers_deadline_reaches_the_database(caller: Caller, parts_to_break: Stage) -> None:
    """A waiting statement ends with the call, not with the server's own limit of 30 s."""
    admin = await asyncpg.connect(parts_to_break.postgres.url)
    try:
        async with admin.transaction():
            await admin.execute("LOCK TABLE bossjy.users IN ACCESS EXCLUSIVE MODE")
            caller.timeout_s = 1.0
            outcome = await caller.call("me")
            assert outcome.code == "DEADLINE_EXCEEDED"
            assert outcome.took < 15
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'bossjy'"
            ends = time.monotonic() + 15
            while await admin.fetchval(waiting):
                assert time.monotonic() < ends
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
