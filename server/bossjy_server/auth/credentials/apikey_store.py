"""API keys in the database. Every function runs inside the transaction of one tenant."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from bossjy_server.auth.records import ApiKey, Request
from bossjy_server.scopes import Role
from bossjy_server.storage.postgres import Connection

_KEY = "api_key_id, display_name, scopes, created_by, create_time, expire_time, last_use_time, parent_key_id"

INSERT_KEY = """
INSERT INTO bossjy.api_keys (tenant_id, api_key_id, secret_hash, display_name, scopes, created_by, request_id,
    request_hash, create_time, expire_time, parent_key_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""

SELECT_KEY = f"SELECT {_KEY} FROM bossjy.api_keys WHERE tenant_id = $1 AND api_key_id = $2 AND end_time IS NULL"

# The key that an earlier attempt of the same call created.
SELECT_KEY_BY_REQUEST = f"SELECT {_KEY}, request_hash FROM bossjy.api_keys WHERE tenant_id = $1 AND request_id = $2"

# Live keys, newest first, after the last row of the previous page.
LIST_KEYS = f"""
SELECT {_KEY} FROM bossjy.api_keys
WHERE tenant_id = $1 AND end_time IS NULL AND expire_time > $2 AND (create_time, api_key_id) < ($3, $4)
ORDER BY create_time DESC, api_key_id DESC LIMIT $5"""

COUNT_KEYS = "SELECT count(*) FROM bossjy.api_keys WHERE tenant_id = $1 AND end_time IS NULL AND expire_time > $2"

# A key and all keys that it created, directly or through others. The tenant's row is locked, so no key is created
# meanwhile. One statement ends them all, so a check needs to read only one row.
END_KEY = """
WITH RECURSIVE line AS (
    SELECT api_key_id FROM bossjy.api_keys WHERE tenant_id = $1 AND api_key_id = $2
    UNION
    SELECT k.api_key_id FROM line JOIN bossjy.api_keys k ON k.tenant_id = $1 AND k.parent_key_id = line.api_key_id)
UPDATE bossjy.api_keys SET end_time = $3
WHERE tenant_id = $1 AND api_key_id IN (SELECT api_key_id FROM line) AND end_time IS NULL
RETURNING api_key_id"""

# All keys that one user created. Keys that these keys created belong to the same user.
END_KEYS_OF = """
UPDATE bossjy.api_keys SET end_time = $3
WHERE tenant_id = $1 AND created_by = $2 AND end_time IS NULL"""

# The data of a check: a live key, and the role of its maker if the maker is active.
SELECT_FOR_CHECK = """
SELECT k.secret_hash, k.scopes, k.created_by, k.expire_time, u.role FROM bossjy.api_keys k JOIN bossjy.users u
ON u.tenant_id = k.tenant_id AND u.user_id = k.created_by WHERE k.tenant_id = $1 AND k.api_key_id = $2 AND
k.end_time IS NULL AND k.expire_time > $3 AND u.state = 'active'"""

# Last use, to the minute: at most one write per minute and key. If another write locks the key, the next check writes.
UPDATE_LAST_USE = """
UPDATE bossjy.api_keys SET last_use_time = date_trunc('minute', $3::timestamptz)
WHERE (tenant_id, api_key_id) IN (
    SELECT tenant_id, api_key_id FROM bossjy.api_keys
    WHERE tenant_id = $1 AND api_key_id = $2
        AND (last_use_time IS NULL OR last_use_time < date_trunc('minute', $3::timestamptz))
    FOR NO KEY UPDATE SKIP LOCKED)"""


async def insert(
    connection: Connection, tenant_id: str, key: ApiKey, secret_hash: bytes, request: Request | None
) -> None:
    """Insert a new API key. Raises UniqueViolation(api_keys_request_unique)."""
    await connection.execute(
        INSERT_KEY,
        tenant_id,
        key.api_key_id,
        secret_hash,
        key.display_name,
        sorted(key.scopes),
        key.created_by,
        request.request_id if request else None,
        request.request_hash if request else None,
        key.create_time,
        key.expire_time,
        key.parent_key_id,
    )


async def find(connection: Connection, tenant_id: str, api_key_id: str) -> ApiKey | None:
    """A key that has not been ended, or None."""
    row = await connection.fetchrow(SELECT_KEY, tenant_id, api_key_id)
    return _api_key(row) if row else None


async def by_request(connection: Connection, tenant_id: str, request_id: str) -> tuple[ApiKey, bytes | None] | None:
    """The key that an earlier call with this request id created, and the hash of that request."""
    row = await connection.fetchrow(SELECT_KEY_BY_REQUEST, tenant_id, request_id)
    return (_api_key(row), row["request_hash"]) if row else None


async def list_live(
    connection: Connection, tenant_id: str, now: datetime, before: tuple[datetime, str], limit: int
) -> list[ApiKey]:
    """A page of live keys, newest first, older than `before` (time, key id)."""
    return [_api_key(row) for row in await connection.fetch(LIST_KEYS, tenant_id, now, *before, limit)]


async def count_live(connection: Connection, tenant_id: str, now: datetime) -> int:
    """The number of live keys of the tenant."""
    return int(await connection.fetchval(COUNT_KEYS, tenant_id, now))


async def end(connection: Connection, tenant_id: str, api_key_id: str, now: datetime) -> list[str]:
    """End a key and all keys that it created. The tenant's row is locked. Returns the ids of the keys that end now."""
    return [row["api_key_id"] for row in await connection.fetch(END_KEY, tenant_id, api_key_id, now)]


async def end_of_user(connection: Connection, tenant_id: str, user_id: str, now: datetime) -> None:
    """End all keys that a user created."""
    await connection.execute(END_KEYS_OF, tenant_id, user_id, now)


class StoredKey:
    """The stored data for the check of a key."""

    __slots__ = ("created_by", "expire_time", "role", "scopes", "secret_hash")

    def __init__(self, row: asyncpg.Record) -> None:
        self.secret_hash: bytes = row["secret_hash"]
        self.scopes = frozenset[str](row["scopes"])
        self.created_by: str = row["created_by"]
        self.expire_time: datetime = row["expire_time"]
        self.role = Role(row["role"])


async def for_check(connection: Connection, tenant_id: str, api_key_id: str, now: datetime) -> StoredKey | None:
    """The stored data for the check of a key, or None if the key is not live."""
    row = await connection.fetchrow(SELECT_FOR_CHECK, tenant_id, api_key_id, now)
    return StoredKey(row) if row else None


async def record_use(connection: Connection, tenant_id: str, api_key_id: str, now: datetime) -> None:
    """Record the time of the last use, to the minute."""
    await connection.execute(UPDATE_LAST_USE, tenant_id, api_key_id, now)


def _api_key(row: asyncpg.Record) -> ApiKey:
    values = {name: row[name] for name in _KEY.split(", ")}
    return ApiKey(**values | {"scopes": frozenset(values["scopes"])})
