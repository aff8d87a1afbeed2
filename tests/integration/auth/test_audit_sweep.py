"""Removal of old audit events: by the service, and not before the owner's retention."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bossjy_server.auth.audit import audit_sweep
from bossjy_server.auth.options import AuthOptions
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import role_for
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.integration.auth.conftest import Opened, register
from tests.parts import service_url

if TYPE_CHECKING:
    from bossjy_server.storage.postgres import Connection

REMOVE = "SELECT bossjy.remove_old_audit_events($1, $2)"


@asynccontextmanager
async def as_admin(url: str) -> AsyncIterator[Connection]:
    admin = await asyncpg.connect(url)
    try:
        yield admin
    finally:
        await admin.close()


async def add_events(url: str, *days_ago: float) -> None:
    """Add events of these ages, in days, for each of two tenants."""
    async with as_admin(url) as admin:
        for tenant in ("one", "two"):
            await admin.execute(
                "INSERT INTO bossjy.tenants (tenant_id, display_name) VALUES ($1, $1) ON CONFLICT DO NOTHING", tenant
            )
            await admin.executemany(
                "INSERT INTO bossjy.audit_events (tenant_id, event_id, event_time, action) "
                "VALUES ($1, $2, now() - $3::float8 * interval '1 day', 'test')",
                [(tenant, secrets.token_hex(12), days) for days in days_ago],
            )


async def ages(url: str) -> list[int]:
    """The ages of all events, in whole days."""
    async with as_admin(url) as admin:
        rows = await admin.fetch("SELECT extract(day FROM now() - event_time)::int AS days FROM bossjy.audit_events")
    return sorted(row["days"] for row in rows)


async def test_the_service_removes_old_events_of_all_tenants_repeatedly(
    opened: Opened, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[int] = []
    remove_old = audit_sweep.remove_old

    async def noted(database: Database, kept_days: int) -> int:
        removed.append(await remove_old(database, kept_days))
        return removed[-1]

    async def until(total: int) -> None:
        """Wait until `total` events were removed, and a sweep after that found none."""
        async with asyncio.timeout(60):
            while sum(removed) != total or removed[-1] != 0:
                await asyncio.sleep(0.01)

    monkeypatch.setattr(audit_sweep, "remove_old", noted)
    await add_events(database_url, 39.5, 41.5)
    async with opened(audit_days=40, audit_sweep_s=0.05) as auth:
        owner = await register(auth)
        await until(2)
        await add_events(database_url, 500)
        await until(4)
        assert await ages(database_url) == [0, 39, 39]
        events = (await owner.call("ListAuditEvents")).events
        assert [event.action for event in events] == ["auth.register"]


async def test_without_a_retention_limit_no_event_is_removed(opened: Opened, database_url: str) -> None:
    await add_events(database_url, 10_000)
    async with opened(audit_days=0, audit_sweep_s=0.01):
        await asyncio.sleep(0.3)
    assert await ages(database_url) == [10_000] * 2


async def test_many_are_removed_in_small_transactions(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_sweep, "_AT_ONCE", 3)
    await add_events(database_url, *range(31, 38), 1)
    async with database.system() as connection:
        assert await connection.fetchval(REMOVE, 36, 1) == 1
    assert await audit_sweep.remove_old(database, 30) == 13
    assert await ages(database_url) == [1, 1]


async def test_only_one_at_a_time_removes(database: Database, database_url: str) -> None:
    await add_events(database_url, 50)
    async with database.system() as first:
        assert await first.fetchval(REMOVE, 30, 1) == 1
        assert await audit_sweep.remove_old(database, 30) == 0
    assert await audit_sweep.remove_old(database, 30) == 1


@pytest.mark.parametrize("values", [(29, 10), (0, 10), (-1, 10), (None, 10), (40_000, 10), (30, 0), (30, None)])
async def test_no_call_removes_what_is_younger(
    database: Database, database_url: str, values: tuple[int | None, int | None]
) -> None:
    await add_events(database_url, 29, 50_000)
    with pytest.raises(asyncpg.InvalidParameterValueError, match="30 to 36500 days"):
        async with database.tenant("one") as connection:
            await connection.fetchval(REMOVE, *values)
    assert await ages(database_url) == [29, 29, 50_000, 50_000]


async def test_an_owner_of_the_tables_without_more_rights_can_do_no_more(empty_database_url: str) -> None:
    """For an owner without superuser rights, row-level security itself admits only old events."""
    name = f"bossjy_test_{secrets.token_hex(6)}"
    parts = urlsplit(empty_database_url)
    url = urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
    async with as_admin(empty_database_url) as admin:
        role = role_for(parts.path[1:])
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'; CREATE ROLE {role}; GRANT {role} TO {name}")
        await admin.execute(f"GRANT CREATE ON DATABASE {parts.path[1:]} TO {name}")
        await apply_schema(url, read_init_sql())
        await add_events(empty_database_url, 29.5, 30.5, 60)
        database = await Database.open(url, min_size=1, max_size=2)
        assert await audit_sweep.remove_old(database, 50) == 2
        await database.close()
        async with as_admin(url) as owner:
            assert await owner.execute("DELETE FROM bossjy.audit_events") == "DELETE 2"
        assert await ages(empty_database_url) == [29, 29]
        await admin.execute(f"DROP OWNED BY {name}, {role}; DROP ROLE {name}, {role}")


async def test_nothing_is_removed_before_the_owners_days(database: Database, database_url: str) -> None:
    """Only the owner of the database sets the retention, regardless of the service's request."""
    await add_events(database_url, 200, 500)
    await apply_schema(database_url, read_init_sql(), audit_days=400)
    assert await audit_sweep.remove_old(database, 30) == 2
    assert await ages(database_url) == [200, 200]
    await apply_schema(service_url(database_url), read_init_sql(), audit_days=30)  # not the owner
    assert await audit_sweep.remove_old(database, 30) == 0
    for command in ("UPDATE bossjy.retention SET audit_days = 30", "DELETE FROM bossjy.retention"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.system() as connection:
                await connection.execute(command)
    await apply_schema(database_url, read_init_sql(), audit_days=0)
    await apply_schema(database_url, read_init_sql())
    assert await audit_sweep.remove_old(database, 100) == 0
    await apply_schema(database_url, read_init_sql(), audit_days=30)
    assert await audit_sweep.remove_old(database, 100) == 2


async def test_nobody_else_may_call_it(database_url: str) -> None:
    async with as_admin(database_url) as admin:
        await admin.execute(f"CREATE ROLE {(name := f'bossjy_test_{secrets.token_hex(6)}')}")
        await admin.execute(f"GRANT USAGE ON SCHEMA bossjy TO {name}; SET ROLE {name}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.fetchval(REMOVE, 30, 1)
        await admin.execute(f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")


async def test_a_lost_database_is_reported_and_retried(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    lost = await Database.open(database_url, min_size=1, max_size=1)
    await lost.close()
    task = asyncio.create_task(audit_sweep.sweep(lost, AuthOptions(audit_sweep_s=0.01)))
    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(10):
            while len(caplog.records) < 2:
                await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert "are not removed yet" in caplog.text
    assert "database does not answer" in caplog.text
