"""Staged rows into the contacts of a tenant, and what became of each. Runs inside the transaction of a block.

A contact is marked as seen by an import when a row of it was the first to name the number: by `created_import_id` where
the import brought the contact, by a row of `import_changes` where it was there before. So a later row with the same
number, in whatever block, is known as a duplicate; and what was overwritten can be given back.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.records import ExistingPolicy
from bossjy_server.imports.stage import StagedRows

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_STAGED = "pg_temp.bossjy_staged"
# COPY is refused on a table with row-level security, so rows come by a table of the connection's own, made once.
STAGED_TABLE = """
CREATE TEMPORARY TABLE bossjy_staged (
    e164           text COLLATE "C" NOT NULL,
    region         text COLLATE "C" NOT NULL,
    number_type    smallint NOT NULL,
    name           text NOT NULL,
    email          text NOT NULL,
    other_numbers  text[] NOT NULL,
    attributes     jsonb NOT NULL,
    position       bigint NOT NULL
) ON COMMIT DELETE ROWS"""

STAGED_TABLE_EXISTS = "SELECT to_regclass('pg_temp.bossjy_staged') IS NOT NULL"

# The planner knows nothing of the staged rows, and tables grow from nothing while a statement is prepared. So no
# statement below joins: each staged row is looked up in the index, by ON CONFLICT or by a scalar subquery.

# New contacts, in the order in which they were staged: that of the index. Gives the positions of those that were new,
# as int8 in network order; the others were contacts before.
INSERT_NEW = f"""
WITH fresh AS (
    INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, email, other_numbers, attributes,
        created_import_id, created_position, changed_import_id, changed_position)
    SELECT $1, e164, region, number_type, name, email, other_numbers, attributes, $2, position, $2, position
    FROM {_STAGED}
    ON CONFLICT ON CONSTRAINT contacts_pkey DO NOTHING
    RETURNING created_position
)
SELECT string_agg(int8send(created_position), '') FROM fresh"""

# The same for rows whose contact was deleted by somebody after it stood in the way.
INSERT_AGAIN = INSERT_NEW.replace("ON CONFLICT", "WHERE position = ANY ($3::bigint[]) ON CONFLICT")

# The first row of this import that names a contact from before it. Where two parts race, the index lets one through.
MARK_SEEN = f"""
WITH seen AS (
    INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position)
    SELECT $1, $2, s.e164, s.position
    FROM {_STAGED} s
    WHERE s.position = ANY ($3::bigint[])
        AND (SELECT c.created_import_id IS DISTINCT FROM $2
             FROM bossjy.contacts c WHERE c.tenant_id = $1 AND c.e164 = s.e164)
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING
    RETURNING position
)
SELECT string_agg(int8send(position), '') FROM seen"""

# Staged rows whose contact is gone.
FIND_MISSING = f"""
SELECT string_agg(int8send(s.position), '') FROM {_STAGED} s
WHERE s.position = ANY ($2::bigint[])
    AND (SELECT c.e164 FROM bossjy.contacts c WHERE c.tenant_id = $1 AND c.e164 = s.e164) IS NULL"""

_FORMER = """jsonb_build_object('region', old.region, 'number_type', old.number_type, 'name', old.name,
        'email', old.email, 'other_numbers', old.other_numbers, 'attributes', old.attributes,
        'changed_import_id', old.changed_import_id, 'changed_position', old.changed_position,
        'update_time', old.update_time)"""

_VALUES = {
    # Fields that the row has are taken over.
    ExistingPolicy.OVERWRITE: (
        "excluded.region",
        "excluded.number_type",
        "CASE WHEN excluded.name <> '' THEN excluded.name ELSE c.name END",
        "CASE WHEN excluded.email <> '' THEN excluded.email ELSE c.email END",
        "CASE WHEN excluded.other_numbers <> '{}' THEN excluded.other_numbers ELSE c.other_numbers END",
        "c.attributes || excluded.attributes",
    ),
    # Fields that the contact lacks are filled.
    ExistingPolicy.FILL_EMPTY: (
        "c.region",
        "c.number_type",
        "CASE WHEN c.name <> '' THEN c.name ELSE excluded.name END",
        "CASE WHEN c.email <> '' THEN c.email ELSE excluded.email END",
        "CASE WHEN c.other_numbers <> '{}' THEN c.other_numbers ELSE excluded.other_numbers END",
        "excluded.attributes || c.attributes",
    ),
}


def update_existing(policy: ExistingPolicy) -> str:
    """The statement that changes contacts from before, where they differ, and keeps their former values.

    Gives how many were changed, and how many inserted, because somebody deleted them a moment before.
    """
    values = ", ".join(_VALUES[policy])
    return f"""
WITH changed AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, region, number_type, name, email, other_numbers, attributes,
        created_import_id, created_position, changed_import_id, changed_position)
    SELECT $1, e164, region, number_type, name, email, other_numbers, attributes, $2, position, $2, position
    FROM {_STAGED} WHERE position = ANY ($3::bigint[])
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET (region, number_type, name, email, other_numbers, attributes) = ROW ({values}),
        changed_import_id = $2, changed_position = excluded.changed_position, update_time = now()
    WHERE (c.region, c.number_type, c.name, c.email, c.other_numbers, c.attributes) IS DISTINCT FROM ROW ({values})
    RETURNING new.e164, new.changed_position AS position, CASE WHEN old.e164 IS NOT NULL THEN {_FORMER} END AS former
), kept AS (
    INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position, former)
    SELECT $1, $2, e164, position, former FROM changed WHERE former IS NOT NULL
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE SET former = excluded.former
)
SELECT count(former) AS updated, count(*) - count(former) AS inserted FROM changed"""


# As many times a block may find that contacts were deleted while it was merged.
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the staged rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0


async def merge(
    connection: Connection, tenant_id: str, import_id: str, staged: StagedRows, policy: ExistingPolicy
) -> Merged:
    """Merge one block. The connection is in a transaction of the tenant."""
    if len(staged.positions) == 0:
        return Merged(duplicate=staged.duplicate)
    if not await connection.fetchval(STAGED_TABLE_EXISTS):
        await connection.execute(STAGED_TABLE)
    await connection.copy_to_table(
        "bossjy_staged", source=io.BytesIO(staged.copy_text), format="csv", null="\\N", schema_name="pg_temp"
    )
    fresh = _positions(await connection.fetchval(INSERT_NEW, tenant_id, import_id))
    inserted = len(fresh)
    residue = np.setdiff1d(staged.positions, fresh, assume_unique=True)
    marked = np.zeros(0, np.int64)
    for _ in range(_ATTEMPTS):
        if len(residue) == 0:
            break
        seen = _positions(await connection.fetchval(MARK_SEEN, tenant_id, import_id, residue.tolist()))
        marked = np.concatenate((marked, seen))
        residue = np.setdiff1d(residue, seen, assume_unique=True)
        missing = _positions(await connection.fetchval(FIND_MISSING, tenant_id, residue.tolist()))
        if len(missing) == 0:
            break
        fresh = _positions(await connection.fetchval(INSERT_AGAIN, tenant_id, import_id, missing.tolist()))
        inserted += len(fresh)
        residue = np.setdiff1d(residue, fresh, assume_unique=True)
    unchanged, updated = len(marked), 0
    if unchanged and policy is not ExistingPolicy.SKIP:
        row = await connection.fetchrow(update_existing(policy), tenant_id, import_id, marked.tolist())
        updated = row["updated"] if row else 0
        inserted += row["inserted"] if row else 0
        unchanged = len(marked) - updated - (row["inserted"] if row else 0)
    return Merged(inserted, updated, unchanged, staged.duplicate + len(residue))


def _positions(packed: bytes | None) -> NDArray[np.int64]:
    """Positions as PostgreSQL packs them; none where the aggregate is NULL."""
    return np.frombuffer(packed or b"", ">i8").astype(np.int64)
