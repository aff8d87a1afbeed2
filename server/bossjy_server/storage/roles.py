"""Roles of a database: the application role, the service's login, and grants that an administrator must make."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from bossjy_server.errors import StartError
from bossjy_server.storage.logins import ACTS
from bossjy_server.storage.postgres import Connection

_PREFIX = "bossjy_app"
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of a name

_DATABASE = """
SELECT d.datname AS database, me.rolname AS me, me.rolsuper AS superuser, me.rolcreaterole AS creates_roles,
    me.rolsuper OR has_database_privilege(d.oid, 'CREATE') AS creates_schemas,
    pg_has_role(d.datdba, 'USAGE') AS owns_database,
    schema_owner.rolname AS owner, coalesce(pg_has_role(n.nspowner, 'USAGE'), false) AS owns_schema,
    coalesce(obj_description(n.oid, 'pg_namespace'), '') AS mark
FROM pg_database d JOIN pg_roles me ON me.rolname = current_user
    LEFT JOIN pg_namespace n ON n.nspname = 'bossjy' LEFT JOIN pg_roles schema_owner ON schema_owner.oid = n.nspowner
WHERE d.datname = current_database()"""

# Other databases in which the role has rights: by name (CONNECT), or by their content (which a copy contains).
_ROLES = f"""
SELECT app.oid IS NOT NULL AS exists, coalesce(app.rolsuper OR app.rolbypassrls, false) AS mighty,
    coalesce(pg_has_role(app.oid, 'MEMBER WITH ADMIN OPTION'), false) AS may_grant,
    coalesce(has_schema_privilege(app.oid, to_regnamespace('bossjy')::oid, 'USAGE'), false) AS uses_schema,
    EXISTS (SELECT FROM pg_database d, aclexplode(d.datacl) a
            WHERE d.datname = current_database() AND a.grantee = app.oid AND a.privilege_type = 'CONNECT') AS enters,
    (SELECT min(d.datname) FROM pg_database d, aclexplode(d.datacl) a
     WHERE d.datname <> current_database() AND a.grantee = app.oid AND a.privilege_type = 'CONNECT') AS enters_other,
    (SELECT min(d.datname) FROM pg_database d JOIN pg_shdepend s ON s.dbid = d.oid
     WHERE d.datname <> current_database() AND s.refclassid = 'pg_authid'::regclass AND s.refobjid = app.oid)
        AS used_in_other,
    login.oid IS NOT NULL AS login_exists,
    coalesce(login.oid = app.oid OR login.rolsuper OR (
        pg_has_role(login.oid, app.oid, {ACTS}) AND pg_has_role(login.oid, app.oid, 'USAGE')), false) AS login_ready,
    current_setting('server_version_num')::integer >= 160000 AS grant_options,
    coalesce(login.rolinherit, true) AS login_inherits
FROM (VALUES ($1::name, $2::name)) AS asked (role, login)
    LEFT JOIN pg_roles app ON app.rolname = asked.role LEFT JOIN pg_roles login ON login.rolname = asked.login"""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database, and the rights of the connected role in it."""

    database: str
    me: str
    superuser: bool
    creates_roles: bool
    creates_schemas: bool
    owns_database: bool
    owner: str | None  # of the schema; None if there is none yet
    owns_schema: bool
    mark: str


@dataclass(frozen=True, slots=True)
class RolesState:
    """The application role and the service's login, as the cluster defines them."""

    exists: bool
    mighty: bool
    may_grant: bool
    uses_schema: bool
    enters: bool
    enters_other: str | None
    used_in_other: str | None
    login_exists: bool
    login_ready: bool
    grant_options: bool  # true if a membership has options; with PostgreSQL 15 its login has one for all
    login_inherits: bool

    @property
    def must_inherit(self) -> bool:
        """True if the login's memberships give it no rights, and a grant cannot change that."""
        return not (self.login_ready or self.grant_options or self.login_inherits)


async def database_state(connection: Connection) -> DatabaseState:
    """Read the state of the connected database."""
    return DatabaseState(**dict(await connection.fetchrow(_DATABASE) or {}))


async def roles_state(connection: Connection, role: str, login: str) -> RolesState:
    """Read the state of both roles; an empty `login` does not exist."""
    return RolesState(**dict(await connection.fetchrow(_ROLES, role, login) or {}))


def role_for(database: str) -> str:
    """The default name of the application role: a separate one for each database of a cluster.

    A database named `bossjy` keeps the name that the role had in every database of earlier releases.
    """
    if database == "bossjy":
        return _PREFIX
    name = f"{_PREFIX}_{database}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"{_PREFIX}_{hashlib.sha256(database.encode()).hexdigest()[:32]}"


def login_of(url: str) -> str:
    """The login role in a URL; '' if the URL names none."""
    parts = urlsplit(url)
    return unquote(parts.username or "") or parse_qs(parts.query).get("user", [""])[0]


def database_of(url: str) -> str:
    """The database that a URL names; PostgreSQL's default is the login's name."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    named = query.get("dbname", query.get("database", [""]))[0]
    return unquote(parts.path.removeprefix("/")) or named or login_of(url)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def check_role(role: str, database: DatabaseState, roles: RolesState) -> None:
    """Raise StartError if the application role is not a role for only this database."""
    if roles.mighty:
        raise StartError(
            f"the application role {quoted(role)} is a superuser or has BYPASSRLS, so tenants would not be isolated: "
            f"run `ALTER ROLE {quoted(role)} NOSUPERUSER NOBYPASSRLS`, or set BOSSJY_DATABASE_ROLE to another role"
        )
    other = roles.enters_other or (None if roles.uses_schema else roles.used_in_other)
    if other is not None:
        raise StartError(
            f"the application role {quoted(role)} has rights in the database {quoted(other)}, so its service could "
            f"read {quoted(database.database)}: set BOSSJY_DATABASE_ROLE to a role for only this database"
        )


def missing_statements(
    role: str, login: str, database: DatabaseState, roles: RolesState, *, defines: bool
) -> list[str]:
    """The statements that an administrator must run first, because the connected role may not.

    `defines`: true if tables have to be created or changed.
    """
    statements = []
    if defines and database.owner is None and not database.creates_schemas:
        statements.append(f"GRANT CREATE ON DATABASE {quoted(database.database)} TO {quoted(database.me)}")
    # With PostgreSQL 15 who creates roles also grants them; later, who has created the role.
    makes = database.superuser or (database.creates_roles and not (roles.exists and roles.grant_options))
    if not roles.exists and not makes:
        statements.append(f"CREATE ROLE {quoted(role)}")
    if not roles.login_ready and not (makes or roles.may_grant) and login:
        statements.append(f"GRANT {quoted(role)} TO {quoted(login)}")
    if roles.must_inherit and not (database.superuser or database.creates_roles):
        statements.append(f"ALTER ROLE {quoted(login)} INHERIT")
    return statements


def setup_statements(admin_url: str, url: str, role: str) -> list[str]:
    """SQL that an administrator runs once on a server, before the first start; for `bossjy-server database sql`."""
    database, login = database_of(url), login_of(url)
    owner = login_of(admin_url) or login
    role = role or role_for(database)
    lines = [
        f"-- Run by an administrator, once. Give each login a password: in psql, \\password {owner}",
        *(f"CREATE ROLE {quoted(name)} LOGIN;" for name in dict.fromkeys((owner, login))),
        f"CREATE DATABASE {quoted(database)} OWNER {quoted(owner)};",
        f"CREATE ROLE {quoted(role)};",
        f"GRANT {quoted(role)} TO {quoted(login)};",
    ]
    if owner == login:
        lines.insert(
            0, "-- Set DATABASE_ADMIN_URL to the owner and DATABASE_URL to another login: the service is safer."
        )
    return lines
