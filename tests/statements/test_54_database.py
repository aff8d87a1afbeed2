"""Statements 54 and 56: the rights of the service in the database, for an attacker who runs SQL in its place."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.storage.postgres import Connection
from bossjy_server.storage.roles import database_of, login_of, role_for
from tests.e2e.conftest import ServerProcess, made_server, on_parts, register
from tests.parts import service_url, with_database
from tests.statements.conftest import Person, Served

# Commands that would remove, change or forge a record, or gain the rights to. {me}: the service's login, {app}: its
# role.
FORBIDDEN = [
    "DELETE FROM bossjy.audit_events",
    "DELETE FROM bossjy.erasures",
    "DELETE FROM bossjy.tenants",
    "DELETE FROM bossjy.users",
    "DO $$ BEGIN DELETE FROM bossjy.tenants; END $$",
    "UPDATE bossjy.retention SET audit_days = 30",
    "WITH gone AS (DELETE FROM bossjy.tenants RETURNING 1) SELECT count(*) FROM gone",
    "MERGE INTO bossjy.audit_events a USING bossjy.tenants t ON a.tenant_id = t.tenant_id WHEN MATCHED THEN DELETE",
    "SET LOCAL row_security = off; DELETE FROM bossjy.audit_events",
    "TRUNCATE bossjy.audit_events",
    "TRUNCATE bossjy.tenants CASCADE",
    "UPDATE bossjy.audit_events SET event_time = now() - interval '60 days'",
    "UPDATE bossjy.audit_events SET tenant_id = 'another'",
    "UPDATE bossjy.erasures SET purpose = ''",
    "UPDATE bossjy.tenants SET tenant_id = 'another'",
    "UPDATE bossjy.users SET tenant_id = 'another'",
    (
        "INSERT INTO bossjy.audit_events (tenant_id, event_id, action, event_time) "
        "VALUES (bossjy.current_tenant(), 'forged', 'login', now() - interval '60 days')"
    ),
    (
        "INSERT INTO bossjy.audit_events (tenant_id, event_id, action) SELECT tenant_id, event_id, 'forged' "
        "FROM bossjy.audit_events ON CONFLICT (tenant_id, event_id) DO UPDATE SET action = 'forged'"
    ),
    "ALTER TABLE bossjy.audit_events DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE bossjy.audit_events DISABLE TRIGGER ALL",
    "ALTER TABLE bossjy.audit_events DROP COLUMN action",
    "ALTER TABLE bossjy.erasures OWNER TO {me}",
    "DROP TABLE bossjy.erasures",
    "DROP SCHEMA bossjy CASCADE",
    "DROP POLICY tenant ON bossjy.audit_events",
    "CREATE POLICY mine ON bossjy.audit_events FOR DELETE TO {app}",
    "CREATE RULE mine AS ON INSERT TO bossjy.audit_events DO INSTEAD NOTHING",
    (
        "CREATE FUNCTION pg_temp.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER mine BEFORE INSERT ON bossjy.audit_events FOR EACH ROW EXECUTE FUNCTION pg_temp.mine()"
    ),
    "CREATE TABLE bossjy.mine (a integer)",
    "CREATE OR REPLACE FUNCTION bossjy.current_tenant() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    "SELECT bossjy.grant_to_service('{app}', '')",
    "SET LOCAL session_replication_role = replica",
    "COPY bossjy.audit_events TO PROGRAM 'cat'",
    "COPY bossjy.audit_events FROM '/dev/null'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{owner}'",
    "SET ROLE {owner}",
    "SET SESSION AUTHORIZATION {owner}",
    "GRANT {owner} TO {me}",
    "REASSIGN OWNED BY {owner} TO {me}",
    "ALTER ROLE {me} SUPERUSER",
    "ALTER ROLE {me} BYPASSRLS",
    "CREATE ROLE mine",
    "SELECT pg_reload_conf()",
    "CREATE EXTENSION file_fdw",
    "CREATE SCHEMA mine",
    "CREATE TABLE public.mine (a integer)",
]
# Commands that are allowed, or have no effect, and remove no record.
IDLE = [
    "GRANT DELETE ON bossjy.audit_events TO {me}",
    "SELECT bossjy.remove_old_audit_events(30, 1000000)",
    "CREATE TEMPORARY TABLE audit_events (LIKE bossjy.audit_events); DELETE FROM audit_events",
    (
        "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2200-01-01'::timestamptz $$; "
        "SET LOCAL search_path = pg_temp, pg_catalog; SELECT bossjy.remove_old_audit_events(30, 1000000)"
    ),
]
RECORDS = "SELECT (SELECT count(*) FROM bossjy.audit_events), (SELECT count(*) FROM bossjy.erasures)"


def filled(commands: list[str], names: dict[str, str]) -> list[str]:
    """The commands with the names in place."""
    for name, value in names.items():
        commands = [command.replace(f"{{{name}}}", value) for command in commands]
    return commands


async def counts(connection: Connection) -> tuple[int, ...]:
    """The numbers of events and of records of erasures."""
    return tuple(await connection.fetchrow(RECORDS) or ())


async def keep_records(owner: Person) -> None:
    """Create an event and a record of an erasure."""
    stub = contact_service_pb2_grpc.ContactServiceStub(owner.channel)
    request = contact_service_pb2.EraseContactsRequest(phone_numbers=["+442079460031"], purpose="asked for")
    await stub.EraseContacts(request, metadata=(("authorization", f"Bearer {owner.access}"),), timeout=20)


@asynccontextmanager
async def in_its_place(served: Served, tenant_id: str, *, as_login: bool) -> AsyncIterator[Connection]:
    """A transaction with the service's rights, as its role or as its login; rolled back."""
    connection = await asyncpg.connect(service_url(served.database_url))
    change = connection.transaction()
    await change.start()
    try:
        if not as_login:
            await connection.execute(f"SET LOCAL role = '{role_for(database_of(served.database_url))}'")
        await connection.execute("SELECT set_config('bossjy.tenant_id', $1, true)", tenant_id)
        yield connection
    finally:
        await change.rollback()
        await connection.close()


@pytest.mark.statement(54)
@pytest.mark.parametrize("as_login", [False, True], ids=["as the role", "as the login"])
async def test_54_no_statement_of_the_service_removes_a_record(
    served: Served, owner: Person, *, as_login: bool
) -> None:
    await keep_records(owner)
    names = {
        "me": login_of(service_url(served.database_url)),
        "app": role_for(database_of(served.database_url)),
        "owner": login_of(served.database_url),
    }
    async with in_its_place(served, owner.tenant_id, as_login=as_login) as connection:
        before = await counts(connection)
        assert min(before) >= 1
        for command in filled(FORBIDDEN, names):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(command)
                    pytest.fail(f"not refused: {command}")
            assert await counts(connection) == before, command
        for command in filled(IDLE, names):
            await connection.execute(command)
            assert await counts(connection) == before, command
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute("DELETE FROM bossjy.audit_events")


@pytest.mark.statement(54)
async def test_54_no_cascade_reaches_a_record(served: Served, owner: Person) -> None:
    """Not even a cascade that the owner of the tables begins."""
    await keep_records(owner)
    admin = await asyncpg.connect(served.database_url)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await admin.execute("DELETE FROM bossjy.tenants WHERE tenant_id = $1", owner.tenant_id)
    await admin.close()


CONNECTED = """
SELECT a.usename, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication AS mighty,
    ARRAY(SELECT m.rolname::text FROM pg_roles m WHERE m.oid <> r.oid AND pg_has_role(r.oid, m.oid, 'MEMBER')) AS roles
FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'"""


@pytest.mark.statement(56)
async def test_56_the_service_connects_as_a_plain_login(served: Served, owner: Person) -> None:
    await owner.call("GetMe")
    await only_plain_logins(served.database_url, role_for(database_of(served.database_url)))


@pytest.mark.statement(56)
async def test_56_so_does_the_service_of_an_embedded_database(tmp_path: Path) -> None:
    server = made_server(tmp_path, "serve", "--workers", "2")
    await asyncio.to_thread(server.start)
    try:
        password, port = ((server.data_dir / f"postgres.{name}").read_text().strip() for name in ("password", "port"))
        await only_plain_logins(f"postgresql://bossjy:{password}@127.0.0.1:{port}/bossjy", "bossjy_app")
    finally:
        await asyncio.to_thread(server.end)


async def only_plain_logins(admin_url: str, role: str) -> None:
    admin = await asyncpg.connect(admin_url)
    rows = await admin.fetch(CONNECTED)
    await admin.close()
    assert rows
    for row in rows:
        assert (row["mighty"], row["roles"]) == (False, [role]), row


def as_user(url: str, user: str) -> str:
    """The URL of the same database for another login, whose password is its name."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{user}@{parts.netloc.rpartition('@')[2]}"))


async def prepare(admin_url: str, **urls: str) -> None:
    """Run the SQL that `bossjy-server database sql` shows, as an administrator does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")} | urls
    command = [sys.executable, "-m", "bossjy_server.cli", "database", "sql"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    admin = await asyncpg.connect(admin_url)
    for line in done.stdout.splitlines():
        if not line.startswith("--"):
            await admin.execute(line)
    for name in {login_of(url) for url in urls.values()}:
        await admin.execute(f"ALTER ROLE {name} PASSWORD '{name}'")
    await admin.close()


@pytest.mark.statement(56)
@pytest.mark.timeout(240)
async def test_56_two_installations_in_one_cluster_cannot_read_each_other(
    parts: EmbeddedParts, served: Served, owner: Person, tmp_path: Path
) -> None:
    """The second is set up by an owner without any other right, next to that of the other tests."""
    name = f"second_{secrets.token_hex(4)}"
    url = with_database(parts.database_url, name)
    owner_url, login_url = as_user(url, f"{name}_owner"), as_user(url, f"{name}_service")
    await prepare(parts.database_url, DATABASE_ADMIN_URL=owner_url, DATABASE_URL=login_url)
    server = made_server(
        tmp_path,
        **on_parts(served.database_url, parts.redis_url) | {"DATABASE_ADMIN_URL": owner_url, "DATABASE_URL": login_url},
    )
    try:
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(register, server.target)
        await only_plain_logins(url, role_for(name))
        assert_no_warning(server)
        first, second = service_url(served.database_url), login_url
        for login, database in ((first, name), (second, database_of(served.database_url))):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
                await asyncpg.connect(with_database(login, database))
        await even_inside(parts.database_url, second, served.database_url, owner.tenant_id)
    finally:
        await asyncio.to_thread(server.end)
        await drop(parts.database_url, name, f"{name}_owner", f"{name}_service", role_for(name))


def assert_no_warning(server: ServerProcess) -> None:
    log = (server.data_dir / "logs" / "bossjy.log").read_text("utf-8")
    assert '"level":"info"' in log
    assert '"level":"warning"' not in log


async def even_inside(admin_url: str, login_url: str, other_url: str, tenant_id: str) -> None:
    """If somebody granted CONNECT, the login of one installation still reads nothing of the other."""
    admin = await asyncpg.connect(admin_url)
    login, other = login_of(login_url), database_of(other_url)
    await admin.execute(f"GRANT CONNECT ON DATABASE {other} TO {login}")
    inside = await asyncpg.connect(with_database(login_url, other))
    try:
        async with inside.transaction():
            await inside.execute("SELECT set_config('bossjy.tenant_id', $1, true)", tenant_id)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await inside.fetch("SELECT * FROM bossjy.tenants")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await inside.execute(f"SET ROLE {role_for(other)}")
    finally:
        await inside.close()
        await admin.execute(f"REVOKE CONNECT ON DATABASE {other} FROM {login}")
        await admin.close()


async def drop(admin_url: str, database: str, *roles: str) -> None:
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    for role in roles:
        await admin.execute(f"DROP ROLE IF EXISTS {role}")
    await admin.close()
