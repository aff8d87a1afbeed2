"""Deadlocks between the setup of the database and running transactions: a bounded number of attempts."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bossjy_server.errors import StartError
from bossjy_server.storage.schema import apply_schema, read_init_sql

# Counts the attempts (a rollback does not undo it), locks one table, waits for the gate, then needs another table.
_CROSSING = """
SELECT nextval('public.attempts');
LOCK TABLE bossjy.tenants IN ACCESS EXCLUSIVE MODE;
SELECT pg_advisory_xact_lock(4711);
LOCK TABLE bossjy.users IN ACCESS EXCLUSIVE MODE;
"""
_FAILING = "SELECT nextval('public.attempts'); DO $$ BEGIN RAISE SQLSTATE '{}'; END $$;"
_ATTEMPTS = "SELECT last_value FROM public.attempts"


async def _waiting(watcher: asyncpg.Connection, condition: str) -> None:
    """Return as soon as a connection waits for a lock that meets `condition`."""
    query = f"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND {condition})"
    async with asyncio.timeout(30):
        while not await watcher.fetchval(query):
            await asyncio.sleep(0.01)


async def test_a_deadlock_is_repeated(database_url: str) -> None:
    gate, other = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        await gate.execute("CREATE SEQUENCE public.attempts; SELECT pg_advisory_lock(4711)")
        # The other transaction looks for a deadlock so late that the setup is always the victim.
        await other.execute("SET deadlock_timeout = '5min'; BEGIN; LOCK TABLE bossjy.users IN ACCESS EXCLUSIVE MODE")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(apply_schema(database_url, _CROSSING + read_init_sql()))
            await _waiting(gate, "locktype = 'advisory' AND objid = 4711")
            crossing = tasks.create_task(other.execute("LOCK TABLE bossjy.tenants IN ACCESS EXCLUSIVE MODE"))
            await _waiting(gate, "relation = 'bossjy.tenants'::regclass")
            await gate.execute("SELECT pg_advisory_unlock(4711)")
            await crossing
            await other.execute("COMMIT")
        assert await gate.fetchval(_ATTEMPTS) >= 2
        assert "init.sql sha256:" in await gate.fetchval("SELECT obj_description('bossjy'::regnamespace)")
    finally:
        await gate.close()
        await other.close()


@pytest.mark.parametrize("state", ["40P01", "40001"])
async def test_the_repetition_ends(database_url: str, state: str) -> None:
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute("CREATE SEQUENCE public.attempts")
        with pytest.raises(StartError, match="5 times.*start again"):
            await apply_schema(database_url, _FAILING.format(state))
        assert await owner.fetchval(_ATTEMPTS) == 5
    finally:
        await owner.close()
