"""Setup of the database: applies deploy/init.sql, its single definition, and grants rights to the application role."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from bossjy_server.errors import StartError
from bossjy_server.storage.connect_faults import CONNECT_ERRORS, connect_fault, one_line
from bossjy_server.storage.logins import ROLE_MARK, recorded_role
from bossjy_server.storage.postgres import Connection
from bossjy_server.storage.roles import (
    DatabaseState,
    RolesState,
    check_role,
    database_state,
    login_of,
    missing_statements,
    quoted,
    role_for,
    roles_state,
)

MINIMUM_VERSION = 15
# The release of a definition: a line of init.sql, and a part of the comment on the schema. Without one: release 1.
_RELEASE = re.compile(r"^-- Release of the definition: (\d+)$", re.MULTILINE)
_RELEASE_MARK = re.compile(r" release:(\d+)")
_ROUNDS_VERSION = 16  # the first with a setting for the rounds of a password's hash
# An arbitrary number that no other program uses on the same server: «bossjy» in ASCII.
_LOCK = 0x626F73736A79
_LOCK_TIMEOUT_S = 60
# Attempts when PostgreSQL cancels the transaction for the sake of others, and the longest pause before the next.
_ATTEMPTS = 5
_PAUSE_S = 0.5
_CANCELLED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

_LONGEST_DAYS = 36_500
_RETAIN = "UPDATE bossjy.retention SET audit_days = $1 WHERE audit_days <> $1"

# The application role of every database in earlier releases.
_FORMER_ROLE = "bossjy_app"


def read_init_sql() -> str:
    """The text of deploy/init.sql: from the installed package, else from the checkout."""
    packaged = files("bossjy_server").joinpath("init.sql")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).parents[3] / "deploy" / "init.sql"
    try:
        return checkout.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"{checkout} cannot be read: reinstall bossjy-server, or start it from a complete checkout"
        ) from error


def release_of(init_sql: str) -> int:
    """The release of a definition; 0 for a text that names none, which is applied in any case."""
    found = _RELEASE.search(init_sql)
    return int(found[1]) if found else 0


async def apply_schema(
    url: str,
    init_sql: str,
    *,
    service: ServiceLogin | None = None,
    role: str = "",
    audit_days: int | None = None,
    setting: str = "DATABASE_URL",
    connect_timeout_s: float = 10.0,
    lock_timeout_s: int = _LOCK_TIMEOUT_S,
) -> bool:
    """Run `init_sql` and grant the application role its rights, in one transaction, one server at a time.

    `url` is of the owner of the tables, `service` of the login that gets the role (None: the same). Without `role` the
    role has a name for this database. `audit_days`: the minimum retention of the audit log; 0: no limit; None:
    unchanged. Raises StartError with one line of advice.

    Returns True if the tables have the definition of the next release, which stays: releases only add, so servers of
    the former one can start too. Nothing happens if the same text was applied last: changing tables, even without
    effect, waits for the transactions of running servers, and blocks theirs.
    """
    try:
        connection = await asyncpg.connect(url, timeout=connect_timeout_s)
    except CONNECT_ERRORS as error:
        raise connect_fault(error, setting) from error
    try:
        version = connection.get_server_version().major
        if version < MINIMUM_VERSION:
            raise StartError(
                f"PostgreSQL {MINIMUM_VERSION} or later is needed, {setting} names a {version}: upgrade it"
            )
        service = service or ServiceLogin(url)
        work = _SetUp(connection, init_sql, service, role, setting)
        await _repeated(work, lock_timeout_s)
        if audit_days is not None:
            await _retain(connection, audit_days or _LONGEST_DAYS)
    except asyncpg.LockNotAvailableError as error:
        raise StartError(
            f"deploy/init.sql waited {lock_timeout_s} s for another server's work: end the blocking work, start again"
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartError(
            f"the user of {setting} may not set the database up ({one_line(error)}): "
            "set DATABASE_ADMIN_URL to its owner; `bossjy-server database sql` shows what an administrator runs first"
        ) from error
    except CONNECT_ERRORS as error:
        raise StartError(
            f"deploy/init.sql could not be applied ({one_line(error)}): nothing was changed, start again"
        ) from error
    finally:
        await connection.close(timeout=5)
    return work.later


async def setup_is_current(connection: Connection, url: str, role: str, setting: str, *, makes_login: bool) -> bool:
    """True if a start would change nothing in the database. Changes nothing. `url` is of the service's login.

    Raises StartError if the connected role, which `setting` names, may not make the missing changes.
    """
    service = ServiceLogin(url, make=makes_login)
    return await _SetUp(connection, read_init_sql(), service, role, setting).missing() is None


async def _repeated(set_up: _SetUp, lock_timeout_s: int) -> None:
    """Run `set_up`, again if it met a deadlock with a running server: its transaction was rolled back as a whole."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await set_up.run(lock_timeout_s)
        except _CANCELLED as error:
            if attempt == _ATTEMPTS:
                raise StartError(
                    f"deploy/init.sql met running transactions {_ATTEMPTS} times ({one_line(error)}): "
                    "nothing was changed, start again when the other servers have less to do"
                ) from error
        else:
            return
        await asyncio.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311 - no secret


async def _retain(connection: Connection, audit_days: int) -> None:
    """Set the retention of the audit log; without effect if the connected role is not the owner."""
    if (await database_state(connection)).owns_schema:
        await connection.execute(_RETAIN, audit_days)


@dataclass(frozen=True, slots=True)
class ServiceLogin:
    """The login role of the service. `make`: create it, with the password of the URL."""

    url: str = field(repr=False)
    make: bool = False

    @property
    def name(self) -> str:
        """The role's name."""
        return login_of(self.url)

    @property
    def password(self) -> str:
        """The role's password."""
        return unquote(urlsplit(self.url).password or "")


class _SetUp:
    """One database, brought up to date with `init_sql`."""

    def __init__(self, connection: Connection, init_sql: str, service: ServiceLogin, role: str, setting: str) -> None:
        self._connection, self._init_sql = connection, init_sql
        self._service, self._role, self._setting = service, role, setting
        self._sum = "init.sql sha256:" + hashlib.sha256(init_sql.encode()).hexdigest()
        self._release = release_of(init_sql)
        self.later = False  # true if the tables have the definition of the next release

    async def run(self, lock_timeout_s: int) -> None:
        """Make the missing changes."""
        if not self._service.make and await self.missing() is None:
            return
        async with self._connection.transaction():
            await self._connection.execute(f"SET LOCAL lock_timeout = '{lock_timeout_s:d}s'")
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if self._service.make:
                await self._make_login()
            if (missing := await self.missing()) is not None:  # otherwise the server that held the lock has done it
                await self._do(missing)

    async def missing(self) -> _Missing | None:
        """The missing changes, or None. Raises StartError if the connected role may not make them."""
        database = await database_state(self._connection)
        former = recorded_role(database.mark)
        role = self._role or role_for(database.database)
        roles = await roles_state(self._connection, role, self._service.name)
        if not self._role and former not in {"", role}:
            # A role chosen earlier, or named after an earlier name of the database: kept if only this database uses it.
            recorded = await roles_state(self._connection, former, self._service.name)
            if recorded.enters and recorded.enters_other is None:
                role, roles = former, recorded
        defines = not database.mark.startswith(self._sum) and not self._is_later(database)
        grants = defines or former != role or not roles.uses_schema or (database.owns_database and not roles.enters)
        joins = not roles.login_ready and bool(self._service.name)
        if not grants and not joins:
            return None
        check_role(role, database, roles)
        if grants and database.owner is not None and not database.owns_schema:
            raise StartError(
                f"the database must be brought up to date by the owner of its tables: "
                f"set DATABASE_ADMIN_URL to a URL of the role {quoted(database.owner)}"
            )
        login = self._service.name if joins else ""
        made = roles.login_exists or self._service.make or not login
        statements = [] if made else [f"CREATE ROLE {quoted(login)} LOGIN PASSWORD …"]
        statements += missing_statements(role, login, database, roles, defines=defines)
        if statements:
            raise StartError(
                f"the user {quoted(database.me)} of {self._setting} may not set the database up: "
                f"as an administrator run `{'; '.join(statements)}`, then start again"
            )
        definition = self._mark if defines else database.mark.partition(ROLE_MARK)[0]
        return _Missing(role, former or _FORMER_ROLE, login, roles, definition, defines, grants)

    @property
    def _mark(self) -> str:
        return f"{self._sum} release:{self._release}"

    def _is_later(self, database: DatabaseState) -> bool:
        """True if the next release defined the tables. Raises StartError if a later one did."""
        found = _RELEASE_MARK.search(database.mark.partition(ROLE_MARK)[0])
        release = int(found[1]) if found else 1
        if not self._release:
            return False
        if release > self._release + 1:
            raise StartError(
                f"the tables have definition {release}, and this release works with {self._release} and "
                f"{self._release + 1}: start a later release, or restore a backup"
            )
        self.later = release > self._release
        return self.later

    async def _do(self, missing: _Missing) -> None:
        run = self._connection.execute
        if not missing.roles.exists:
            await run(f"CREATE ROLE {quoted(missing.role)} NOLOGIN")
        if missing.defines:
            await run(self._init_sql)
        if missing.grants:
            await run("SELECT bossjy.grant_to_service($1, $2)", missing.role, missing.former)
            mark = f"{missing.definition}{ROLE_MARK}{missing.role}".replace("'", "''")
            await run(f"COMMENT ON SCHEMA bossjy IS '{mark}'")
        if missing.login:
            options = " WITH INHERIT TRUE, SET TRUE" if missing.roles.grant_options else ""
            await run(f"GRANT {quoted(missing.role)} TO {quoted(missing.login)}{options}")
            if missing.roles.must_inherit:
                await run(f"ALTER ROLE {quoted(missing.login)} INHERIT")

    async def _make_login(self) -> None:
        """Create the login with its password, also if the data folder's password file is new."""
        exists = await self._connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", self._service.name)
        if self._connection.get_server_version().major >= _ROUNDS_VERSION:
            # One round of hashing: the password is random.
            await self._connection.execute("SET LOCAL scram_iterations = 1")
        verb = "CREATE" if exists is None else "ALTER"
        password = self._service.password.replace("'", "''")
        await self._connection.execute(
            f"{verb} ROLE {quoted(self._service.name)} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE "
            f"NOREPLICATION PASSWORD '{password}'"
        )


@dataclass(frozen=True, slots=True)
class _Missing:
    """The missing changes."""

    role: str
    former: str  # the role that had the rights before
    login: str  # the login that gets the role; '': none
    roles: RolesState
    definition: str  # the hash and the release of the definition that applies afterwards
    defines: bool  # true if tables must be created or changed
    grants: bool  # true if rights of the role must be granted
