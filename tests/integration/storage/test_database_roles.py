"""The roles of a database: created, moved from an earlier release or a copy, refused, and described in one line."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.errors import StartError
from bossjy_server.storage.postgres import Connection, Database
from bossjy_server.storage.roles import database_of, login_of, role_for, setup_statements
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql
from tests.parts import fresh_database, service_url, with_database

COUNT = "SELECT count(*) FROM bossjy.tenants"


@asynccontextmanager
async def as_admin(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True)
class Logins:
    """Plain logins on a server. Their password is their name."""

    admin: Connection
    made: list[str]

    async def new(self, options: str = "") -> str:
        name = f"bossjy_test_{secrets.token_hex(6)}"
        await self.admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' {options}")
        self.made.append(name)
        return name


@pytest.fixture
async def logins(parts: EmbeddedParts) -> AsyncIterator[Logins]:
    async with as_admin(parts.database_url) as admin:
        logins = Logins(admin, [])
        yield logins
        for name in logins.made:
            await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
async def owned(empty_database_url: str, logins: Logins) -> AsyncIterator[str]:
    """The URL of a plain owner of an empty database."""
    owner, name = await logins.new(), database_of(empty_database_url)
    await logins.admin.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    yield as_user(empty_database_url, owner)
    await logins.admin.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    async with as_admin(empty_database_url) as admin:
        await admin.execute("DROP SCHEMA IF EXISTS bossjy CASCADE")
        if await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role_for(name)):
            await admin.execute(f"DROP OWNED BY {role_for(name)}; DROP ROLE {role_for(name)}")


def as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{user}@{parts.netloc.rpartition('@')[2]}"))


async def set_up(admin_url: str, url: str = "", **more: Any) -> None:
    await apply_schema(admin_url, read_init_sql(), service=ServiceLogin(url) if url else None, **more)


async def told(admin_url: str, url: str = "", **more: str) -> str:
    """The single line with which a setup ends."""
    with pytest.raises(StartError) as caught:
        await set_up(admin_url, url, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def works(url: str) -> Database:
    """Open the service on a database: it creates a tenant."""
    database = await Database.open(url, min_size=1, max_size=2)
    async with database.tenant("one") as connection:
        await connection.execute("INSERT INTO bossjy.tenants (tenant_id, display_name) VALUES ('one', 'One')")
    return database


def test_each_database_has_a_role_of_its_own_name() -> None:
    assert (role_for("bossjy"), role_for("acme")) == ("bossjy_app", "bossjy_app_acme")
    long = {role_for(letter * 60) for letter in "ab资"}
    assert len(long) == 3
    assert all(len(name.encode()) <= 63 for name in long)


@pytest.mark.parametrize(
    ("url", "login", "database"),
    [
        ("postgresql://u%40x:p@h/d%20b", "u@x", "d b"),
        ("postgresql:///d?user=u&host=/run", "u", "d"),
        ("postgresql://u@h/?dbname=d", "u", "d"),
        ("postgresql://u@h", "u", "u"),
    ],
)
def test_a_url_names_a_login_and_a_database(url: str, login: str, database: str) -> None:
    assert (login_of(url), database_of(url)) == (login, database)


def test_the_administrators_statements_are_shown() -> None:
    shown = setup_statements("", "postgresql://o@h/acme", "")
    assert 'GRANT "bossjy_app_acme" TO "o";' in shown
    assert "DATABASE_ADMIN_URL" in shown[0]
    assert 'CREATE ROLE "a""b";' in setup_statements("postgresql://o@h/acme", "postgresql://s@h/acme", 'a"b')


async def test_a_plain_owner_gets_the_administrators_statements(owned: str, logins: Logins) -> None:
    """The reported statements are enough: then it starts."""
    role, owner, service = role_for(database_of(owned)), login_of(owned), await logins.new()
    url = as_user(owned, service)
    line = await told(owned, url, setting="DATABASE_ADMIN_URL")
    assert f'`CREATE ROLE "{role}"; GRANT "{role}" TO "{service}"`' in line
    assert "DATABASE_ADMIN_URL" in line
    await logins.admin.execute(f'CREATE ROLE "{role}"')
    assert f'`GRANT "{role}" TO "{service}"`' in await told(owned, url)
    assert f'GRANT "{role}" TO "{owner}"' in await told(owned)
    await logins.admin.execute(f'GRANT "{role}" TO "{service}"')
    await set_up(owned, url)
    database = await works(url)
    assert database.remarks == ()
    await database.close()
    await set_up(url)  # like a start without DATABASE_ADMIN_URL


async def test_an_owner_that_creates_roles_needs_no_administrator(owned: str, logins: Logins) -> None:
    await logins.admin.execute(f"ALTER ROLE {login_of(owned)} CREATEROLE")
    await set_up(owned)  # as owner and service in one
    await (await works(owned)).close()
    url = as_user(owned, await logins.new())
    await set_up(owned, url)
    database = await Database.open(url, min_size=1, max_size=1)
    await database.close()


async def test_a_missing_right_to_create_a_schema_is_reported(empty_database_url: str, logins: Logins) -> None:
    url = as_user(empty_database_url, name := await logins.new("CREATEROLE"))
    assert f'`GRANT CREATE ON DATABASE "{database_of(url)}" TO "{name}"`' in await told(url)


async def test_a_missing_login_is_reported(empty_database_url: str) -> None:
    assert 'CREATE ROLE "none_such" LOGIN' in await told(empty_database_url, as_user(empty_database_url, "none_such"))


async def test_only_the_owner_applies_another_release(database_url: str) -> None:
    with pytest.raises(StartError, match='DATABASE_ADMIN_URL to a URL of the role "bossjy"'):
        await apply_schema(service_url(database_url), read_init_sql() + "\n-- another release")


async def test_a_login_without_the_role_is_reported(database_url: str, logins: Logins) -> None:
    name, role = await logins.new(), role_for(database_of(database_url))
    await logins.admin.execute(f"GRANT CONNECT ON DATABASE {database_of(database_url)} TO {name}")
    with pytest.raises(StartError, match=f'run `GRANT "{role}" TO "{name}"`'):
        await Database.open(as_user(database_url, name), min_size=1, max_size=1)


async def test_a_database_without_setup_is_reported(empty_database_url: str) -> None:
    with pytest.raises(StartError, match="must name the same database"):
        await Database.open(empty_database_url, min_size=1, max_size=1)


async def test_a_login_with_more_rights_is_remarked(database_url: str, logins: Logins) -> None:
    database = await Database.open(database_url, min_size=1, max_size=1)
    await database.close()
    assert len(database.remarks) == 1
    assert "is a superuser or has BYPASSRLS" in database.remarks[0]
    login = login_of(service_url(database_url))
    await logins.admin.execute(f"GRANT pg_read_all_data TO {login}")
    await logins.admin.execute(f"GRANT CONNECT ON DATABASE {database_of(database_url)} TO PUBLIC")
    database = await Database.open(service_url(database_url), min_size=1, max_size=1)
    await database.close()
    assert len(database.remarks) == 2
    assert f'REVOKE "pg_read_all_data" FROM "{login}"' in database.remarks[0]
    assert "REVOKE CONNECT" in database.remarks[1]


async def test_a_role_that_sees_all_is_refused(empty_database_url: str, logins: Logins) -> None:
    assert "NOBYPASSRLS" in await told(empty_database_url, role=await logins.new("BYPASSRLS"))


async def test_a_role_may_have_any_name_and_stays_chosen(empty_database_url: str, logins: Logins) -> None:
    url, role = as_user(empty_database_url, await logins.new()), 'it\'s a "role" of {0} %s'
    await set_up(empty_database_url, url, role=role)
    await set_up(empty_database_url, url)
    database = await works(url)
    async with database.tenant("one") as connection:
        assert await connection.fetchval("SELECT current_user::text") == role
    await database.close()
    async with as_admin(empty_database_url) as admin:
        quoted = role.replace('"', '""')
        await admin.execute(f'DROP OWNED BY "{quoted}"; DROP ROLE "{quoted}"')


async def test_a_role_of_another_database_is_refused(database_url: str, empty_database_url: str) -> None:
    line = await told(empty_database_url, role=role_for(database_of(database_url)))
    assert database_of(database_url) in line
    assert "BOSSJY_DATABASE_ROLE" in line


async def test_a_copy_gets_a_role_of_its_own(parts: EmbeddedParts, database_url: str) -> None:
    """Nothing of the original's role and login is left in it; the original still works."""
    await (await works(service_url(database_url))).close()
    async for copy in fresh_database(parts.database_url, database_of(database_url)):
        await set_up(copy)
        async with as_admin(copy) as admin:
            assert await admin.fetchval(COUNT) == 1
            role = role_for(database_of(database_url))
            assert await admin.fetchval("SELECT has_schema_privilege($1, 'bossjy', 'USAGE')", role) is False
            assert await rights_of(admin, role) == []
            assert await rights_of(admin, role_for(database_of(copy))) != []
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
            await asyncpg.connect(with_database(service_url(database_url), database_of(copy)))
    original = await Database.open(service_url(database_url), min_size=1, max_size=1)
    async with original.tenant("one") as connection:
        assert await connection.fetchval(COUNT) == 1
    await original.close()


async def rights_of(admin: Connection, role: str) -> list[asyncpg.Record]:
    """The rights of a role in this database."""
    return await admin.fetch(
        "SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = $1::regrole "
        "UNION SELECT c.relname, a.privilege_type FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, "
        "aclexplode(t.attacl) a WHERE a.grantee = $1::regrole "
        "UNION SELECT p.proname, a.privilege_type FROM pg_proc p, aclexplode(p.proacl) a WHERE a.grantee = $1::regrole",
        role,
    )


async def test_a_renamed_database_keeps_its_role(parts: EmbeddedParts, logins: Logins) -> None:
    async for url in fresh_database(parts.database_url):
        name = database_of(url)
        await logins.admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_renamed")
        renamed = with_database(service_url(url), f"{name}_renamed")
        await set_up(renamed)  # without the owner
        await (await works(renamed)).close()
        await logins.admin.execute(f"DROP DATABASE {name}_renamed; ")
        await logins.admin.execute(f"CREATE DATABASE {name}")


async def test_rights_move_from_the_role_of_an_earlier_release(database_url: str, logins: Logins) -> None:
    """The database as left by releases with one role for the whole cluster; migrated in place, without loss."""
    own, name = role_for(database_of(database_url)), database_of(database_url)
    await (await works(service_url(database_url))).close()
    async with as_admin(database_url) as admin:
        await admin.execute("CREATE ROLE bossjy_app")
        await admin.execute(f"DROP OWNED BY {own}; GRANT CONNECT, TEMPORARY ON DATABASE {name} TO PUBLIC")
        await admin.execute(
            "GRANT USAGE ON SCHEMA bossjy TO bossjy_app; COMMENT ON SCHEMA bossjy IS 'init.sql sha256:1'"
        )
        await admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bossjy TO bossjy_app")
        for table in ("audit_events", "erasures"):
            await admin.execute(
                f"ALTER TABLE bossjy.{table} DROP CONSTRAINT {table}_tenant_id_fkey, "
                "ADD FOREIGN KEY (tenant_id) REFERENCES bossjy.tenants ON DELETE CASCADE"
            )
    await set_up(database_url, service_url(database_url))
    async with as_admin(database_url) as admin:
        assert await rights_of(admin, "bossjy_app") == []
        assert await admin.fetchval("SELECT has_schema_privilege('bossjy_app', 'bossjy', 'USAGE')") is False
        assert await admin.fetchval("SELECT has_database_privilege('bossjy_app', $1, 'CONNECT')", name) is False
        await admin.execute("DROP ROLE bossjy_app")  # refused if it still has any rights
        cascades = "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'"
        cascading = {row[0].rpartition(".")[2] for row in await admin.fetch(cascades)}
        assert cascading
        assert cascading.isdisjoint({"audit_events", "erasures"})
    database = await Database.open(service_url(database_url), min_size=1, max_size=1)
    async with database.tenant("one") as connection:
        assert await connection.fetchval(COUNT) == 1
    await database.close()


async def test_with_a_pooler_nothing_is_kept_from_one_transaction_to_the_next(database_url: str) -> None:
    database = await Database.open(
        service_url(database_url), min_size=1, max_size=1, statement_cache=0, statement_timeout_s=7
    )
    async with database.system() as connection:
        assert await connection.fetchval("SHOW statement_timeout") == "7s"
        assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
        assert await connection.fetchval("SELECT current_user::text") == role_for(database_of(database_url))
        await connection.execute("RESET ALL")
    async with database.tenant("one") as connection:
        assert await connection.fetchval("SHOW statement_timeout") == "7s"
    assert await database.ping()
    await database.close()
