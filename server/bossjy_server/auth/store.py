"""Tenants and users in the database. Every function runs inside the transaction of one tenant."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from bossjy_server.auth.filters import USER_COLUMNS
from bossjy_server.auth.mail_addresses import email_key, former_email_key
from bossjy_server.auth.records import Account, Request, Tenant, User
from bossjy_server.errors import NotFound
from bossjy_server.scopes import Role
from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter
from bossjy_server.storage.postgres import Connection

_TENANT = (
    "tenant_id, display_name, default_region, calls_per_minute, create_time, second_factor_required, "
    "streams_most, open_imports_most, users_most, api_keys_most"
)
_USER = (
    "tenant_id, user_id, email, display_name, language, role, state, password_change_required, "
    "password_time, revision, create_time, update_time, last_login_time, "
    "second_factor"
)
# Includes the tenant's requirements on its users, so that a session needs no additional look-up.
_ASKS_FACTOR = """
(SELECT t.second_factor_required FROM bossjy.tenants AS t WHERE t.tenant_id = users.tenant_id) AS tenant_asks_factor"""
_USER_ROW = f"{_USER}, {_ASKS_FACTOR}"

# A new tenant. The row-level policy admits it because the transaction runs as that tenant.
INSERT_TENANT = """
INSERT INTO bossjy.tenants (tenant_id, display_name, calls_per_minute, create_time, update_time)
VALUES ($1, $2, $3, $4, $4)"""

SELECT_TENANT = f"SELECT {_TENANT} FROM bossjy.tenants WHERE tenant_id = $1 AND delete_time IS NULL"

# Locks the tenant's row, so that changes that depend on several users (the last owner, the limit) are serialized.
LOCK_TENANT = f"{SELECT_TENANT} FOR NO KEY UPDATE"

# A NULL parameter leaves the column unchanged.
UPDATE_TENANT = f"""
UPDATE bossjy.tenants
SET display_name = coalesce($2, display_name), default_region = coalesce($3, default_region),
    second_factor_required = coalesce($4, second_factor_required), update_time = $5
WHERE tenant_id = $1
RETURNING {_TENANT}"""

INSERT_USER = """
INSERT INTO bossjy.users (tenant_id, user_id, email, email_key, display_name, password_hash,
    password_change_required, role, request_id, request_hash, create_time, update_time, password_time,
    last_login_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $12)"""

SELECT_USER = f"SELECT {_USER_ROW} FROM bossjy.users WHERE tenant_id = $1 AND user_id = $2 AND delete_time IS NULL"

# Locks the user's row: role, state and password stay unchanged until the transaction ends.
LOCK_USER = f"{SELECT_USER} FOR NO KEY UPDATE"

# Both, each column under the name of its table.
SELECT_USER_AND_TENANT = f"""
SELECT {", ".join(f"u.{name} AS user_{name}" for name in _USER.split(", "))},
    {", ".join(f"t.{name} AS tenant_{name}" for name in _TENANT.split(", "))},
    t.second_factor_required AS user_tenant_asks_factor
FROM bossjy.users AS u JOIN bossjy.tenants AS t USING (tenant_id)
WHERE u.tenant_id = $1 AND u.user_id = $2"""

# The data of a login, in one look-up. If the addresses of two users of an earlier release are equal today, $3 selects
# the intended one.
SELECT_ACCOUNT_BY_EMAIL = f"""
SELECT {_USER_ROW}, password_hash FROM bossjy.users WHERE tenant_id = $1 AND email_key IN ($2, $3)
ORDER BY email_key = $3 DESC LIMIT 1"""

SELECT_ACCOUNT = f"SELECT {_USER_ROW}, password_hash FROM bossjy.users WHERE tenant_id = $1 AND user_id = $2"

# The user that an earlier attempt of the same call created.
SELECT_USER_BY_REQUEST = f"SELECT {_USER_ROW}, request_hash FROM bossjy.users WHERE tenant_id = $1 AND request_id = $2"

# A page of users by mail address, after the user $2 ('' for the first page). The filter's conditions follow.
LIST_USERS = f"""
SELECT {_USER_ROW} FROM bossjy.users
WHERE tenant_id = $1 AND delete_time IS NULL
    AND ($2 = '' OR email_key > (SELECT email_key FROM bossjy.users WHERE tenant_id = $1 AND user_id = $2))"""

COUNT_USERS = "SELECT count(*) FROM bossjy.users WHERE tenant_id = $1 AND delete_time IS NULL"

# Owners other than one user who can log in.
COUNT_OTHER_OWNERS = """
SELECT count(*) FROM bossjy.users
WHERE tenant_id = $1 AND user_id <> $2 AND role = 'owner' AND state = 'active'"""

# A NULL parameter leaves the column unchanged.
UPDATE_USER = f"""
UPDATE bossjy.users
SET display_name = coalesce($3, display_name), language = coalesce($4, language), role = coalesce($5, role),
    state = coalesce($6, state), revision = revision + 1, update_time = $7
WHERE tenant_id = $1 AND user_id = $2
RETURNING {_USER_ROW}"""

# A new password, set by the user or by an administrator.
UPDATE_PASSWORD = f"""
UPDATE bossjy.users
SET password_hash = $3, password_change_required = $4, revision = revision + 1, update_time = $5,
    password_time = $5
WHERE tenant_id = $1 AND user_id = $2
RETURNING {_USER_ROW}"""

# The same password hashed with new settings, unless it was changed in between.
UPDATE_HASH = """
UPDATE bossjy.users SET password_hash = $4 WHERE tenant_id = $1 AND user_id = $2 AND password_hash = $3"""

# A login. It does not change the etag.
UPDATE_LAST_LOGIN = f"""
UPDATE bossjy.users SET last_login_time = $3
WHERE tenant_id = $1 AND user_id = $2 AND state = 'active' AND password_time = $4
RETURNING {_USER_ROW}"""


async def insert_tenant(connection: Connection, tenant: Tenant) -> None:
    """Insert a new tenant. Raises UniqueViolation(tenants_pkey) if the id exists."""
    await connection.execute(
        INSERT_TENANT, tenant.tenant_id, tenant.display_name, tenant.calls_per_minute, tenant.create_time
    )


async def tenant(connection: Connection, tenant_id: str, *, lock: bool = False) -> Tenant:
    """Read a tenant, and lock its row if requested. Raises NotFound."""
    return _tenant(await connection.fetchrow(LOCK_TENANT if lock else SELECT_TENANT, tenant_id))


async def update_tenant(
    connection: Connection,
    tenant_id: str,
    now: datetime,
    *,
    display_name: str | None = None,
    default_region: str | None = None,
    second_factor_required: bool | None = None,
) -> Tenant:
    """Change a tenant. None leaves a field unchanged. Raises NotFound."""
    values = (display_name, default_region, second_factor_required, now)
    return _tenant(await connection.fetchrow(UPDATE_TENANT, tenant_id, *values))


async def insert_user(connection: Connection, user: User, password_hash: str, request: Request | None = None) -> None:
    """Insert a new user. Raises UniqueViolation: users_email_unique, users_request_unique."""
    await connection.execute(
        INSERT_USER,
        user.tenant_id,
        user.user_id,
        user.email,
        email_key(user.email),
        user.display_name,
        password_hash,
        user.password_change_required,
        user.role.value,
        request.request_id if request else None,
        request.request_hash if request else None,
        user.create_time,
        user.last_login_time,
    )


async def user(connection: Connection, tenant_id: str, user_id: str, *, lock: bool = False) -> User:
    """Read a user, and lock the row if requested. Raises NotFound."""
    return _user(await connection.fetchrow(LOCK_USER if lock else SELECT_USER, tenant_id, user_id))


async def user_and_tenant(connection: Connection, tenant_id: str, user_id: str) -> tuple[User, Tenant]:
    """Read a user and the tenant. Raises NotFound."""
    row = await connection.fetchrow(SELECT_USER_AND_TENANT, tenant_id, user_id)
    return _user(row, "user_"), _tenant(row, "tenant_")


async def account_by_email(connection: Connection, tenant_id: str, email: str) -> Account | None:
    """The account of a mail address, or None."""
    keys = (email_key(email), former_email_key(email))
    row = await connection.fetchrow(SELECT_ACCOUNT_BY_EMAIL, tenant_id, *keys)
    return Account(_user(row), row["password_hash"]) if row else None


async def account(connection: Connection, tenant_id: str, user_id: str) -> Account:
    """A user with the hash of the password. Raises NotFound."""
    row = await connection.fetchrow(SELECT_ACCOUNT, tenant_id, user_id)
    if row is None:
        raise NotFound("user")
    return Account(_user(row), row["password_hash"])


async def user_by_request(connection: Connection, tenant_id: str, request_id: str) -> tuple[User, bytes | None] | None:
    """The user that an earlier call with this request id created, and the hash of that request."""
    row = await connection.fetchrow(SELECT_USER_BY_REQUEST, tenant_id, request_id)
    return (_user(row), row["request_hash"]) if row else None


async def list_users(
    connection: Connection, tenant_id: str, tree: Filter | None, after_id: str, limit: int
) -> list[User]:
    """At most `limit` users that match the filter, by mail address, after the user `after_id`."""
    query = Query(LIST_USERS, [tenant_id, after_id])
    if tree is not None:
        query.text += f" AND {condition(query, tree, USER_COLUMNS)}"
    query.text += f" ORDER BY email_key LIMIT {query.parameter(limit, 'bigint')}"
    return [_user(row) for row in await connection.fetch(query.text, *query.parameters)]


async def count_users(connection: Connection, tenant_id: str) -> int:
    """The number of users of the tenant."""
    return int(await connection.fetchval(COUNT_USERS, tenant_id))


async def count_other_owners(connection: Connection, tenant_id: str, user_id: str) -> int:
    """The number of active owners other than that user."""
    return int(await connection.fetchval(COUNT_OTHER_OWNERS, tenant_id, user_id))


async def update_user(
    connection: Connection,
    user: User,
    now: datetime,
    *,
    display_name: str | None = None,
    language: str | None = None,
    role: Role | None = None,
    state: str | None = None,
) -> User:
    """Change a user. None leaves a field unchanged. Raises NotFound."""
    values = (display_name, language, role.value if role else None, state)
    return _user(await connection.fetchrow(UPDATE_USER, user.tenant_id, user.user_id, *values, now))


async def update_password(
    connection: Connection, user: User, password_hash: str, *, must_change: bool, now: datetime
) -> User:
    """Set a new password for a user. Raises NotFound."""
    values = (password_hash, must_change, now)
    return _user(await connection.fetchrow(UPDATE_PASSWORD, user.tenant_id, user.user_id, *values))


async def update_hash(connection: Connection, tenant_id: str, user_id: str, old: str, new: str) -> None:
    """Replace the hash `old` of the same password by `new`."""
    await connection.execute(UPDATE_HASH, tenant_id, user_id, old, new)


async def record_login(connection: Connection, checked: User, now: datetime) -> User | None:
    """Record a login; None if the user was disabled or got another password since `checked` was read."""
    row = await connection.fetchrow(UPDATE_LAST_LOGIN, checked.tenant_id, checked.user_id, now, checked.password_time)
    return _user(row) if row else None


def _tenant(row: asyncpg.Record | None, prefix: str = "") -> Tenant:
    if row is None:
        raise NotFound("tenant")
    return Tenant(**{name: row[prefix + name] for name in _TENANT.split(", ")})


def _user(row: asyncpg.Record | None, prefix: str = "") -> User:
    if row is None:
        raise NotFound("user")
    values = {name: row[prefix + name] for name in (*_USER.split(", "), "tenant_asks_factor")}
    return User(**values | {"role": Role(values["role"])})
