"""A row that takes the place of another row of its import with the same number.

That happens where the last row wins, and where parts are uploaded at once and the first row comes after a later one.
The contact then becomes what it would be had the loser never been there: what it was before the import, and the
winner's row merged into that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from bossjy_server.imports.records import DuplicatePolicy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# See CHOSEN in merge.py.
_CHOSEN = "(s.position IN (SELECT unnest($3::bigint[]))) IS TRUE"
_BEATS = {DuplicatePolicy.FIRST_WINS: "<", DuplicatePolicy.LAST_WINS: ">"}


# Waits for parts that are changing the same marks, so that the statement behind it sees what they committed: a
# statement that waits inside sees the row it waited for as it is now, and all others as they were when it began.
LOCK_SEEN = f"""
SELECT count(*) FROM (
    SELECT FROM bossjy.import_changes m
    WHERE m.tenant_id = $1 AND m.import_id = $2
        AND m.e164 = ANY (ARRAY(SELECT s.e164 FROM pg_temp.bossjy_staged s WHERE {_CHOSEN}))
    ORDER BY m.e164 FOR UPDATE) locked"""


def displace_created(policy: DuplicatePolicy) -> str:
    """Contacts that the import brought itself, and nobody changed since: the winner's row as it is."""
    return f"""
INSERT INTO bossjy.contacts AS c (tenant_id, e164, region, number_type, name, email, other_numbers, attributes,
    carrier, place, created_import_id, created_position, changed_import_id, changed_position)
SELECT $1, e164, region, number_type, name, email, other_numbers, attributes, carrier, place,
    $2, position, $2, position
FROM pg_temp.bossjy_staged s
WHERE {_CHOSEN}
    AND (SELECT o.created_import_id = $2 FROM bossjy.contacts o WHERE o.tenant_id = $1 AND o.e164 = s.e164)
ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
SET (region, number_type, name, email, other_numbers, attributes, carrier, place) = ROW (excluded.region,
        excluded.number_type, excluded.name, excluded.email, excluded.other_numbers, excluded.attributes,
        excluded.carrier, excluded.place),
    created_position = excluded.created_position, changed_position = excluded.changed_position, update_time = now()
WHERE c.created_import_id = $2 AND c.changed_import_id = $2
    AND excluded.created_position {_BEATS[policy]} c.created_position"""


def displace_seen(policy: DuplicatePolicy) -> str:
    """Contacts from before: the mark goes to the winner, and what the loser changed is given back.

    Gives the positions of the winners, and how many of the losers had changed the contact. Contacts that somebody else
    changed since stay as they are.
    """
    return f"""
WITH won AS (
    INSERT INTO bossjy.import_changes AS m (tenant_id, import_id, e164, position)
    SELECT $1, $2, s.e164, s.position FROM pg_temp.bossjy_staged s
    WHERE {_CHOSEN}
        AND (SELECT o.created_import_id IS DISTINCT FROM $2
             FROM bossjy.contacts o WHERE o.tenant_id = $1 AND o.e164 = s.e164)
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE SET position = excluded.position, former = NULL
    WHERE excluded.position {_BEATS[policy]} m.position
        AND (m.former IS NULL OR (SELECT o.changed_import_id = $2
             FROM bossjy.contacts o WHERE o.tenant_id = $1 AND o.e164 = m.e164))
    RETURNING new.e164, new.position, old.former
), restored AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, region, number_type, name, email, other_numbers, attributes,
        carrier, place, changed_import_id, changed_position, update_time)
    SELECT $1, won.e164, f.region, f.number_type, f.name, f.email, f.other_numbers, f.attributes,
        coalesce(f.carrier, ''), coalesce(f.place, ''), f.changed_import_id, f.changed_position, f.update_time
    FROM won, jsonb_to_record(won.former) AS f (region text, number_type smallint, name text, email text,
        other_numbers text[], attributes jsonb, carrier text, place text, changed_import_id text,
        changed_position bigint, update_time timestamptz)
    WHERE won.former IS NOT NULL
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET (region, number_type, name, email, other_numbers, attributes, carrier, place, changed_import_id,
        changed_position, update_time)
        = ROW (excluded.region, excluded.number_type, excluded.name, excluded.email, excluded.other_numbers,
        excluded.attributes, excluded.carrier, excluded.place, excluded.changed_import_id,
        excluded.changed_position, excluded.update_time)
)
SELECT array_agg(position) AS positions, count(former) AS had_changed FROM won"""


@dataclass(frozen=True, slots=True)
class Displaced:
    """`positions` of rows that are to be merged in place of others, of which `had_changed` had changed a contact."""

    positions: list[int]
    had_changed: int


async def displace(
    connection: Connection, tenant_id: str, import_id: str, rows: list[int], policy: DuplicatePolicy
) -> Displaced:
    """Of the staged rows with these positions, all of whose numbers were seen before, let the winners take over."""
    await connection.execute(displace_created(policy), tenant_id, import_id, rows)
    await connection.fetchval(LOCK_SEEN, tenant_id, import_id, rows)
    found = await connection.fetchrow(displace_seen(policy), tenant_id, import_id, rows)
    if found is None:
        return Displaced([], 0)
    return Displaced(found["positions"] or [], found["had_changed"])
