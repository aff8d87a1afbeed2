"""Sessions in the database. Every function runs inside the transaction of one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from bossjy_server.auth.credentials.token_format import RefreshToken
from bossjy_server.auth.records import Session
from bossjy_server.context import Caller
from bossjy_server.storage.postgres import Connection

_SESSION = (
    "tenant_id, session_id, user_id, device_name, user_agent, address, refresh_seed, generation, "
    "rotate_time, refresh_expire_time, create_time, last_use_time, expire_time, end_time"
)

# A new session. The same round trip deletes the user's sessions that ended before $15, and ends those beyond the $16
# most recently used. Returns the ids of the ended ones.
OPEN_SESSION = f"""
WITH forgotten AS (
    DELETE FROM bossjy.sessions
    WHERE tenant_id = $1 AND user_id = $3 AND (end_time < $15 OR refresh_expire_time < $15)),
surplus AS (
    UPDATE bossjy.sessions SET end_time = $11
    WHERE tenant_id = $1 AND session_id IN (
        SELECT session_id FROM bossjy.sessions
        WHERE tenant_id = $1 AND user_id = $3 AND end_time IS NULL AND refresh_expire_time > $11
        ORDER BY last_use_time DESC, session_id OFFSET $16)
    RETURNING session_id),
opened AS (
    INSERT INTO bossjy.sessions ({_SESSION})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14))
SELECT session_id FROM surplus"""

SELECT_SESSION = f"SELECT {_SESSION} FROM bossjy.sessions WHERE tenant_id = $1 AND session_id = $2"

# Uses up the refresh token of generation $3, once. Of parallel calls only the first finds the row.
ROTATE = f"""
UPDATE bossjy.sessions
SET generation = generation + 1, rotate_time = $4, last_use_time = $4,
    refresh_expire_time = least($5::timestamptz, expire_time)
WHERE tenant_id = $1 AND session_id = $2 AND generation = $3
    AND end_time IS NULL AND refresh_expire_time > $4
RETURNING {_SESSION}"""

# The caller's live sessions, newest first, after the last row of the previous page.
LIST_SESSIONS = f"""
SELECT {_SESSION} FROM bossjy.sessions
WHERE tenant_id = $1 AND user_id = $2 AND end_time IS NULL AND refresh_expire_time > $3
    AND (create_time, session_id) < ($4, $5)
ORDER BY create_time DESC, session_id DESC LIMIT $6"""

# One session of one user. Ended ones are not found.
END_SESSION = """
UPDATE bossjy.sessions SET end_time = $4
WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3 AND end_time IS NULL AND expire_time > $4
RETURNING session_id"""

# All sessions of one user but one ('' for none).
END_SESSIONS = """
UPDATE bossjy.sessions SET end_time = $4
WHERE tenant_id = $1 AND user_id = $2 AND session_id <> $3 AND end_time IS NULL AND expire_time > $4
RETURNING session_id"""


async def open_one(connection: Connection, session: Session, most: int, forget_before: datetime) -> list[str]:
    """Insert a new session. At most `most - 1` others of the user stay live. Returns the ids of those that end now.

    Sessions that ended before `forget_before` are deleted.
    """
    values = (getattr(session, name) for name in _SESSION.split(", "))
    return _ids(await connection.fetch(OPEN_SESSION, *values, forget_before, most - 1))


async def find(connection: Connection, tenant_id: str, session_id: str) -> Session | None:
    """Read a session, ended or not."""
    row = await connection.fetchrow(SELECT_SESSION, tenant_id, session_id)
    return _session(row) if row else None


async def rotate(
    connection: Connection, token: RefreshToken, now: datetime, refresh_expire_time: datetime
) -> Session | None:
    """Use up the refresh token; None if it is not of the current generation or the session has ended."""
    row = await connection.fetchrow(
        ROTATE, token.tenant_id, token.session_id, token.generation, now, refresh_expire_time
    )
    return _session(row) if row else None


async def list_live(
    connection: Connection, caller: Caller, now: datetime, before: tuple[datetime, str], limit: int
) -> list[Session]:
    """A page of the caller's sessions, newest first, older than `before` (time, session id)."""
    rows = await connection.fetch(LIST_SESSIONS, caller.tenant_id, caller.user_id, now, *before, limit)
    return [_session(row) for row in rows]


async def end(connection: Connection, tenant_id: str, user_id: str, session_id: str, now: datetime) -> list[str]:
    """End one session of a user. Returns its id, or nothing if no live session has it."""
    return _ids(await connection.fetch(END_SESSION, tenant_id, user_id, session_id, now))


async def end_all(connection: Connection, tenant_id: str, user_id: str, now: datetime, keep: str = "") -> list[str]:
    """End all sessions of a user but `keep`. Returns their ids."""
    return _ids(await connection.fetch(END_SESSIONS, tenant_id, user_id, keep, now))


def _ids(rows: Sequence[asyncpg.Record]) -> list[str]:
    return [row["session_id"] for row in rows]


def _session(row: asyncpg.Record) -> Session:
    return Session(**{name: row[name] for name in _SESSION.split(", ")})
