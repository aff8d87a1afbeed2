"""Operator commands on tenants: list, limit, delete."""

from __future__ import annotations

import io
import json
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.people.operator import NewOwner, create_owner
from bossjy_server.auth.people.tenant_limits import TenantLimits
from bossjy_server.auth.people.tenant_store import EMPTIED, KEPT
from bossjy_server.auth.people.tenants import delete_tenant, find_tenant, list_tenants, set_limit
from bossjy_server.errors import NotFound, Reason, StartError
from bossjy_server.operate import _delete_tenant, _line
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import role_for
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.integration.auth.conftest import EMAIL, Opened, User, reason_of, register
from tests.integration.auth.test_operator import run


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[Database]:
    """The database as the owner of its tables."""
    database = await Database.open(database_url, role="none", min_size=1, max_size=1)
    yield database
    await database.close()


async def add_contacts(admin: Database, tenant_id: str, count: int) -> None:
    async with admin.tenant(tenant_id) as connection:
        await connection.execute(
            "INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type) "
            "SELECT $1, '+44207946' || lpad(n::text, 4, '0'), 'GB', 1 FROM generate_series(1, $2::integer) AS n",
            tenant_id,
            count,
        )


async def rows_of(admin: Database, table: str, tenant_id: str) -> int:
    async with admin.tenant(tenant_id) as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM bossjy.{table} WHERE tenant_id = $1", tenant_id))


async def test_a_limit_is_changed_and_recorded(owner: User, admin: Database, database: Database) -> None:
    assert (await owner.call("GetTenant")).tenant.calls_per_minute == 60_000
    assert await set_limit(admin, owner.tenant_id, 100_000) == 60_000
    assert (await owner.call("GetTenant")).tenant.calls_per_minute == 100_000
    assert await TenantLimits(database).per_minute(owner.tenant_id) == 100_000
    (event,) = (await owner.call("ListAuditEvents", filter='action = "auth.set_limit"')).events
    assert event.detail == "60000 -> 100000 calls a minute"
    with pytest.raises(NotFound, match="tenants list"):
        await set_limit(admin, "nobody", 1)


async def test_a_deleted_tenant_has_no_data_and_keeps_its_records(
    opened: Opened, admin: Database, database: Database
) -> None:
    async with opened() as auth:
        owner, other = await register(auth), await register(auth, "Other")
        key = await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])
        await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
        for tenant in (owner, other):
            await add_contacts(admin, tenant.tenant_id, 5)
        events = await rows_of(admin, "audit_events", owner.tenant_id)

        deleted = await delete_tenant(admin, owner.tenant_id, batch_rows=2)
        assert (deleted["users"], deleted["contacts"]) == (2, 5)
        for table in (*EMPTIED, "users", "sessions", "api_keys"):
            assert await rows_of(admin, table, owner.tenant_id) == 0, table
        assert await rows_of(admin, "audit_events", owner.tenant_id) == events + 1
        assert await rows_of(admin, "contacts", other.tenant_id) == 5
        assert (await other.call("GetMe")).user.email == EMAIL

        assert await reason_of(owner.login()) is Reason.LOGIN_REFUSED
        assert await reason_of(owner.refreshed()) in {Reason.TOKEN_INVALID, Reason.SESSION_ENDED}
        assert await reason_of(owner.call("GetTenant")) is Reason.RESOURCE_NOT_FOUND
    async with opened() as auth:  # a replica that has not seen the key
        assert await reason_of(User(auth, key.secret).call("GetMe")) is Reason.TOKEN_INVALID
    assert await TenantLimits(database).per_minute(owner.tenant_id) == 1
    assert await delete_tenant(admin, owner.tenant_id) == {"users": 0, **dict.fromkeys(EMPTIED, 0)}
    with pytest.raises(NotFound, match="was deleted"):
        await set_limit(admin, owner.tenant_id, 1)
    listed = {tenant.tenant_id: tenant for tenant in await list_tenants(admin)}
    assert listed[owner.tenant_id].delete_time is not None
    assert (listed[owner.tenant_id].display_name, listed[other.tenant_id].display_name) == ("deleted", "Other")
    with pytest.raises(NotFound):
        await find_tenant(admin, "nobody")


async def test_a_deletion_knows_every_table_of_a_tenant(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'bossjy' AND column_name = 'tenant_id'"
    )
    gone_with_users = await connection.fetch(
        "SELECT conrelid::regclass::text AS name FROM pg_constraint WHERE confdeltype = 'c' "
        "AND confrelid IN ('bossjy.users'::regclass)"
    )
    await connection.close()
    known = {*EMPTIED, *KEPT, "tenants", "users"} | {row["name"].removeprefix("bossjy.") for row in gone_with_users}
    assert {row["table_name"] for row in tables} == known


async def test_the_service_sees_only_its_own_tenant(owner: User, database: Database) -> None:
    assert await list_tenants(database) == []
    async with database.tenant(owner.tenant_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM bossjy.tenants") == 1


async def test_an_owner_of_the_tables_who_is_no_superuser(empty_database_url: str) -> None:
    """Row-level security applies to such an owner, and still admits the list and a deletion."""
    name = f"bossjy_test_{secrets.token_hex(6)}"
    parts = urlsplit(empty_database_url)
    url = urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
    role, place = role_for(parts.path[1:]), parts.path[1:]
    admin = await asyncpg.connect(empty_database_url)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'; CREATE ROLE {role}; GRANT {role} TO {name}")
    await admin.execute(f"GRANT CREATE ON DATABASE {place} TO {name}")
    await apply_schema(url, read_init_sql())
    owner = await Database.open(url, role="none", min_size=1, max_size=1)
    for tenant_id in ("one", "two"):
        async with owner.tenant(tenant_id) as connection:
            await connection.execute("INSERT INTO bossjy.tenants (tenant_id, display_name) VALUES ($1, $1)", tenant_id)
        await add_contacts(owner, tenant_id, 3)
    assert [tenant.tenant_id for tenant in await list_tenants(owner)] == ["one", "two"]
    assert (await delete_tenant(owner, "one"))["contacts"] == 3
    assert await rows_of(owner, "contacts", "two") == 3
    await owner.close()
    await admin.execute(f"DROP OWNED BY {name}, {role}; DROP ROLE {name}, {role}")
    await admin.close()


async def test_a_deletion_is_confirmed_with_the_id(
    owner: User, admin: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(StartError, match="nothing was deleted"):
        await _delete_tenant(owner.tenant_id, admin)
    assert "audit log stays" in capsys.readouterr().out
    assert (await owner.call("GetMe")).user.email == EMAIL


async def test_the_commands(opened: Opened, database_url: str, admin: Database, tmp_path: Path) -> None:
    """`tenants limit` is run by tests/e2e/tool/test_people.py."""
    async with opened() as auth:
        tenant_id = (await register(auth)).tenant_id
    done = run(tmp_path, "tenants", "delete", tenant_id, database_url=database_url, typed=f"{tenant_id}\n")
    assert (done.returncode, "1 users" in done.stdout) == (0, True)
    (shown,) = run(tmp_path, "tenants", "list", "--json", database_url=database_url).stdout.splitlines()
    assert json.loads(shown)["delete_time"] is not None
    (tenant,) = await list_tenants(admin)
    assert _line(tenant).startswith(f"{tenant_id}  deleted  -  60000 calls a minute  deleted 20")
    async with admin.tenant(tenant_id) as connection:
        actors = await connection.fetch("SELECT actor FROM bossjy.audit_events WHERE action = 'auth.delete_tenant'")
    assert [row["actor"] for row in actors] == ["operator"]
    with pytest.raises(NotFound):
        await create_owner(admin, NewOwner(EMAIL, tenant_id=tenant_id), AuthOptions())
