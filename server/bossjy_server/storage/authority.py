"""The caller's current authority in the database, locked until the transaction ends.

A token states the rights of its caller at issue, and a cached key those at its last read. A write reads them again,
inside its own transaction, and locks the rows. A logout, a revocation or a disabling is an UPDATE of the same rows:
either it commits first, and the write is refused, or it waits until the write has committed.

Lock order, for every transaction: tenant, users, sessions, API keys, then the rows of a feature. A transaction locks
two users only while it locks the tenant's row (FOR NO KEY UPDATE). An audit event takes FOR KEY SHARE on the tenant's
row, which waits for none of these. Decision 0022 has the reasons.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from bossjy_server.context import Caller, call_or_none
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.scopes import PASSWORD_DUE, Role, scopes_of, why_missing
from bossjy_server.storage.postgres import Connection

# Locks role, state and password of a user. Not FOR SHARE: a transaction that locks a user often changes the same row
# next, and two that share a row then wait for each other. It also queues in order, so nobody can delay a demotion by
# many calls.
LOCK_USER = "SELECT 1 FROM bossjy.users WHERE tenant_id = $1 AND user_id = $2 FOR NO KEY UPDATE"

_NOW = "u.role, u.password_change_required"

# The session unless it has ended. Shared: writes of one session do not wait for each other, its end waits for all.
HOLD_SESSION = f"""
SELECT {_NOW}, s.expire_time FROM bossjy.sessions s JOIN bossjy.users u USING (tenant_id, user_id)
WHERE s.tenant_id = $1 AND s.session_id = $2 AND s.user_id = $3 AND s.end_time IS NULL AND u.state = 'active'
FOR SHARE OF s"""

# The same for an API key. The statement that ends a key also ends its descendants, so one row is enough.
HOLD_API_KEY = f"""
SELECT {_NOW}, k.expire_time, k.scopes FROM bossjy.api_keys k
JOIN bossjy.users u ON u.tenant_id = k.tenant_id AND u.user_id = k.created_by
WHERE k.tenant_id = $1 AND k.api_key_id = $2 AND k.created_by = $3 AND k.end_time IS NULL AND u.state = 'active'
FOR SHARE OF k"""


@dataclass(frozen=True, slots=True)
class Held:
    """The current rights of a caller. `scopes`: those that both the credentials and the role have."""

    role: Role
    scopes: frozenset[str]
    expire_time: datetime  # end of the session or API key


async def hold_caller(connection: Connection, caller: Caller, *, changes_authority: bool = False) -> Held:
    """Lock the caller's session or API key until the transaction of the caller's tenant ends.

    Call it as late in the transaction as possible: the end of the session or key waits for the commit. With
    `changes_authority` the caller's user is locked first, so then call it before anything but the tenant is locked.

    Raises Unauthenticated: SESSION_ENDED or TOKEN_INVALID if session, key or user has ended; TOKEN_EXPIRED if the role
    of a session has changed and the call changes authority. Raises PermissionDenied(SCOPE_MISSING) if the caller has
    lost the scope that the running call's method requires.
    """
    if changes_authority:
        await connection.execute(LOCK_USER, caller.tenant_id, caller.user_id)
    by_key = bool(caller.api_key_id)
    command, credential = (HOLD_API_KEY, caller.api_key_id) if by_key else (HOLD_SESSION, caller.session_id)
    row = await connection.fetchrow(command, caller.tenant_id, credential, caller.user_id)
    if row is None or row["expire_time"].timestamp() <= time.time():
        raise _key_ended() if by_key else session_ended()
    scopes = scopes_of(row["role"]) & (frozenset(row["scopes"]) if by_key else caller.scopes)
    due = caller.due
    if row["password_change_required"] and not by_key:
        scopes, due = frozenset(), PASSWORD_DUE
    _check_scope(scopes, row["role"], by_key=by_key, due=due)
    if changes_authority and not by_key and row["role"] != caller.role:
        raise token_expired()
    return Held(Role(row["role"]), scopes, row["expire_time"])


def session_ended() -> Unauthenticated:
    """The answer to a session that has ended."""
    return Unauthenticated(Reason.SESSION_ENDED, "the session has ended: log in again")


def token_expired() -> Unauthenticated:
    """The answer to a token that was valid once."""
    return Unauthenticated(Reason.TOKEN_EXPIRED, "the access token has expired: call RefreshToken, then repeat")


def _key_ended() -> Unauthenticated:
    return Unauthenticated(Reason.TOKEN_INVALID, "the API key has ended, or its maker is disabled: use a valid API key")


def _check_scope(scopes: frozenset[str], role: str, *, by_key: bool, due: str) -> None:
    call = call_or_none()
    if call is not None and call.scope and call.scope not in scopes:
        text, metadata = why_missing(call.scope, role, by_key=by_key, due=due)
        raise PermissionDenied(Reason.SCOPE_MISSING, text, metadata=metadata)
