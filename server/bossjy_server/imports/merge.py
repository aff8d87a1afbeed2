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

# The planner knows nothing of the staged rows, and would read all contacts for a block of them.
PREFER_INDEX = """
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_seqscan', 'on', true), set_config('jit', 'off', true)"""

# New contacts. What was inserted leaves the staging table; what stays was there before.
INSERT_NEW = f"""
WITH fresh AS (
    INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, email, other_numbers, attributes,
        created_import_id, created_position, changed_import_id, changed_position)
    SELECT $1, e164, region, number_type, name, email, other_numbers, attributes, $2, position, $2, position
    FROM {_STAGED} ORDER BY e164
    ON CONFLICT ON CONSTRAINT contacts_pkey DO NOTHING
    RETURNING created_position
)
SELECT count(*), array_agg(created_position) FROM fresh"""

DELETE_FRESH = f"DELETE FROM {_STAGED} WHERE position = ANY ($1::bigint[])"

# The first row of this import that names a contact from before it. Where two parts race, the index lets one through.
MARK_SEEN = f"""
INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position)
SELECT $1, $2, s.e164, s.position
FROM {_STAGED} s JOIN bossjy.contacts c ON c.tenant_id = $1 AND c.e164 = s.e164
WHERE c.created_import_id IS DISTINCT FROM $2
ORDER BY s.e164
ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING"""

# Staged rows whose contact is gone: deleted by somebody between two statements.
COUNT_MISSING = f"""
SELECT count(*) FROM {_STAGED} s
WHERE NOT EXISTS (SELECT FROM bossjy.contacts c WHERE c.tenant_id = $1 AND c.e164 = s.e164)"""

_FORMER = """jsonb_build_object('region', old.region, 'number_type', old.number_type, 'name', old.name,
        'email', old.email, 'other_numbers', old.other_numbers, 'attributes', old.attributes,
        'changed_import_id', old.changed_import_id, 'changed_position', old.changed_position,
        'update_time', old.update_time)"""

_VALUES = {
    # Fields that the row has are taken over.
    ExistingPolicy.OVERWRITE: (
        "s.region",
        "s.number_type",
        "CASE WHEN s.name <> '' THEN s.name ELSE c.name END",
        "CASE WHEN s.email <> '' THEN s.email ELSE c.email END",
        "CASE WHEN s.other_numbers <> '{}' THEN s.other_numbers ELSE c.other_numbers END",
        "c.attributes || s.attributes",
    ),
    # Fields that the contact lacks are filled.
    ExistingPolicy.FILL_EMPTY: (
        "c.region",
        "c.number_type",
        "CASE WHEN c.name <> '' THEN c.name ELSE s.name END",
        "CASE WHEN c.email <> '' THEN c.email ELSE s.email END",
        "CASE WHEN c.other_numbers <> '{}' THEN c.other_numbers ELSE s.other_numbers END",
        "s.attributes || c.attributes",
    ),
}


def update_existing(policy: ExistingPolicy) -> str:
    """The statement that changes contacts from before, where they differ, and keeps their former values."""
    values = ", ".join(_VALUES[policy])
    return f"""
WITH changed AS (
    UPDATE bossjy.contacts c
    SET (region, number_type, name, email, other_numbers, attributes) = ROW ({values}),
        changed_import_id = $2, changed_position = s.position, update_time = now()
    FROM {_STAGED} s JOIN bossjy.import_changes m
        ON m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = s.e164 AND m.position = s.position
    WHERE c.tenant_id = $1 AND c.e164 = s.e164
        AND (c.region, c.number_type, c.name, c.email, c.other_numbers, c.attributes) IS DISTINCT FROM ROW ({values})
    RETURNING c.e164, {_FORMER} AS former
)
UPDATE bossjy.import_changes m SET former = changed.former
FROM changed WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = changed.e164"""


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
    if staged.row_count == 0:
        return Merged(duplicate=staged.duplicate)
    if not await connection.fetchval(STAGED_TABLE_EXISTS):
        await connection.execute(STAGED_TABLE)
    await connection.fetchrow(PREFER_INDEX)
    await connection.copy_to_table(
        "bossjy_staged", source=io.BytesIO(staged.copy_text), format="csv", null="\\N", schema_name="pg_temp"
    )
    inserted = marked = 0
    residue = staged.row_count
    for _ in range(_ATTEMPTS):
        count, positions = await connection.fetchrow(INSERT_NEW, tenant_id, import_id)
        inserted += count
        residue -= count
        if residue == 0:
            break
        if count:
            await connection.execute(DELETE_FRESH, positions)
        marked += _affected(await connection.execute(MARK_SEEN, tenant_id, import_id))
        if not await connection.fetchval(COUNT_MISSING, tenant_id):
            break
    updated = 0
    if marked and policy is not ExistingPolicy.SKIP:
        updated = _affected(await connection.execute(update_existing(policy), tenant_id, import_id))
    return Merged(inserted, updated, marked - updated, staged.duplicate + residue - marked)


def _affected(tag: str) -> int:
    """The count in a command tag: `UPDATE 12`."""
    return int(tag.rpartition(" ")[2])
