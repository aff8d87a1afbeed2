"""Second factors in the database. Every function runs inside the transaction of one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bossjy_server.storage.postgres import Connection

# A secret that is valid only once it is confirmed. A confirmed secret stays valid meanwhile. Without a code ($5 false)
# no row with a confirmed secret changes, even if another call has just confirmed it.
KEEP_PENDING = """
INSERT INTO bossjy.second_factors AS kept (tenant_id, user_id, pending, update_time) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET pending = $3, wrong_pending = 0, update_time = $4
WHERE kept.secret IS NULL OR $5
RETURNING user_id"""

# Counts an attempt before its code is compared, and locks the row until the transaction ends, so parallel attempts are
# counted one by one. No row beyond $3 consecutive wrong codes.
COUNT_CODE = """
UPDATE bossjy.second_factors SET wrong_codes = wrong_codes + 1
WHERE tenant_id = $1 AND user_id = $2 AND secret IS NOT NULL AND wrong_codes < $3
RETURNING secret, wrong_codes"""

COUNT_PENDING = """
UPDATE bossjy.second_factors SET wrong_pending = wrong_pending + 1
WHERE tenant_id = $1 AND user_id = $2 AND pending IS NOT NULL AND wrong_pending < $3
RETURNING pending"""

SELECT_FACTOR = """
SELECT secret, pending FROM bossjy.second_factors WHERE tenant_id = $1 AND user_id = $2"""

CONFIRM = """
UPDATE bossjy.second_factors
SET secret = pending, pending = NULL, last_step = $4, wrong_codes = 0, wrong_pending = 0, update_time = $5
WHERE tenant_id = $1 AND user_id = $2 AND pending = $3
RETURNING user_id"""

# Uses up the codes of a time step and of all earlier ones. Of parallel calls only the first finds the row.
USE_STEP = """
UPDATE bossjy.second_factors SET last_step = $3, wrong_codes = 0
WHERE tenant_id = $1 AND user_id = $2 AND last_step < $3
RETURNING user_id"""

FORGET_WRONG = "UPDATE bossjy.second_factors SET wrong_codes = 0 WHERE tenant_id = $1 AND user_id = $2"

USE_RECOVERY_CODE = """
UPDATE bossjy.recovery_codes SET use_time = $4
WHERE tenant_id = $1 AND user_id = $2 AND code_mac = $3 AND use_time IS NULL
RETURNING user_id"""

KEEP_RECOVERY_CODES = """
INSERT INTO bossjy.recovery_codes (tenant_id, user_id, code_mac) SELECT $1, $2, unnest($3::bytea[])"""

DELETE_RECOVERY_CODES = "DELETE FROM bossjy.recovery_codes WHERE tenant_id = $1 AND user_id = $2"

DELETE_FACTOR = "DELETE FROM bossjy.second_factors WHERE tenant_id = $1 AND user_id = $2"

# The same for a call without a code: a secret that was confirmed meanwhile stays.
DELETE_PENDING = DELETE_FACTOR + " AND secret IS NULL"

SET_SWITCH = """
UPDATE bossjy.users SET second_factor = $3, revision = revision + 1, update_time = $4
WHERE tenant_id = $1 AND user_id = $2"""


@dataclass(frozen=True, slots=True)
class Factor:
    """The sealed secrets of a user: the valid one, and one that is not confirmed yet."""

    secret: bytes | None = field(repr=False)
    pending: bytes | None = field(repr=False)


async def keep_pending(
    connection: Connection, tenant_id: str, user_id: str, sealed: bytes, now: datetime, *, replace: bool
) -> bool:
    """Store a secret to be confirmed; false if one is confirmed already and `replace` does not allow it."""
    return await connection.fetchval(KEEP_PENDING, tenant_id, user_id, sealed, now, replace) is not None


async def count_code(connection: Connection, tenant_id: str, user_id: str, most: int) -> tuple[bytes, int] | None:
    """Count an attempt as a wrong code. Returns the sealed secret and the count.

    None if `most` consecutive codes were wrong, or if there is no secret.
    """
    row = await connection.fetchrow(COUNT_CODE, tenant_id, user_id, most)
    return (row["secret"], row["wrong_codes"]) if row else None


async def count_pending(connection: Connection, tenant_id: str, user_id: str, most: int) -> bytes | None:
    """Count an attempt at the pending secret, and return the secret; None beyond `most`, or if there is none."""
    pending: bytes | None = await connection.fetchval(COUNT_PENDING, tenant_id, user_id, most)
    return pending


async def find(connection: Connection, tenant_id: str, user_id: str) -> Factor | None:
    """The secrets of a user, or None."""
    row = await connection.fetchrow(SELECT_FACTOR, tenant_id, user_id)
    return Factor(row["secret"], row["pending"]) if row else None


async def confirm(
    connection: Connection,
    tenant_id: str,
    user_id: str,
    sealed: bytes,
    *,
    step: int,
    macs: Sequence[bytes],
    now: datetime,
) -> bool:
    """Make the pending secret valid, with new recovery codes; false if another secret replaced it meanwhile."""
    if await connection.fetchval(CONFIRM, tenant_id, user_id, sealed, step, now) is None:
        return False
    await connection.execute(DELETE_RECOVERY_CODES, tenant_id, user_id)
    await connection.execute(KEEP_RECOVERY_CODES, tenant_id, user_id, list(macs))
    await connection.execute(SET_SWITCH, tenant_id, user_id, True, now)
    return True


async def use_step(connection: Connection, tenant_id: str, user_id: str, step: int) -> bool:
    """Use up the code of a time step and reset the count of wrong ones; false if it or a later one was used before."""
    return await connection.fetchval(USE_STEP, tenant_id, user_id, step) is not None


async def use_recovery_code(connection: Connection, tenant_id: str, user_id: str, mac: bytes, now: datetime) -> bool:
    """Use up a recovery code and reset the count of wrong one-time codes; false if there is none."""
    if await connection.fetchval(USE_RECOVERY_CODE, tenant_id, user_id, mac, now) is None:
        return False
    await connection.execute(FORGET_WRONG, tenant_id, user_id)
    return True


async def remove_pending(connection: Connection, tenant_id: str, user_id: str) -> None:
    """Delete the pending secret."""
    await connection.execute(DELETE_PENDING, tenant_id, user_id)


async def remove(connection: Connection, tenant_id: str, user_id: str, now: datetime) -> None:
    """Delete the second factor of a user, and the count of wrong codes."""
    await connection.execute(DELETE_RECOVERY_CODES, tenant_id, user_id)
    await connection.execute(DELETE_FACTOR, tenant_id, user_id)
    await connection.execute(SET_SWITCH, tenant_id, user_id, False, now)
