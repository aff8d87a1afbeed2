"""A row that takes the place of another row of its import with the same number.

That happens where the last row wins, and where parts are uploaded at once and the first row comes after a later one.
The contact then becomes what it would be had the loser never been there: what it was before the import, and the
winner's row merged into that.
"""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server.imports.records import DuplicatePolicy
from bossjy_server.imports.statements import (
    CHOSEN,
    FIELDS,
    FORMER_FIELDS,
    STAGED,
    contact_of,
    fields_json,
    fields_of,
    former_as_f,
)
from bossjy_server.storage.postgres import Connection

_BEATS = {DuplicatePolicy.FIRST_WINS: "<", DuplicatePolicy.LAST_WINS: ">"}


# Waits for parts that are changing the same marks, so that the statement behind it sees what they committed: a
# statement that waits inside sees the row it waited for as it is now, and all others as they were when it began. Rows
# are staged, and so locked, in the order of their numbers.
LOCK_SEEN = f"""
SELECT count(*) FROM {STAGED} s CROSS JOIN LATERAL (
    SELECT FROM bossjy.import_changes m
    WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = s.e164 FOR UPDATE) locked
WHERE {CHOSEN}"""


def displace_created(policy: DuplicatePolicy) -> str:
    """Contacts that the import brought itself, and nobody changed since: the winner's row as it is."""
    return f"""
INSERT INTO bossjy.contacts AS c (tenant_id, e164, {FIELDS},
    created_import_id, created_position, changed_import_id, changed_position)
SELECT $1, e164, {FIELDS}, $2, position, $2, position
FROM {STAGED} s
WHERE {CHOSEN}
    AND ({contact_of("s", "c.created_import_id = $2")})
ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
SET ({FIELDS}) = ROW ({fields_of("excluded")}),
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
    INSERT INTO bossjy.import_changes AS m (tenant_id, import_id, e164, position, fields)
    SELECT $1, $2, s.e164, s.position, {fields_json("s")} FROM {STAGED} s
    WHERE {CHOSEN}
        AND ({contact_of("s", "c.created_import_id IS DISTINCT FROM $2")})
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE
    SET position = excluded.position, fields = excluded.fields, former = NULL
    WHERE excluded.position {_BEATS[policy]} m.position
        AND (m.former IS NULL OR ({contact_of("m", "c.changed_import_id = $2")}))
    RETURNING new.e164, new.position, old.former
), restored AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, {FIELDS}, changed_import_id, changed_position, update_time)
    SELECT $1, won.e164, {FORMER_FIELDS}, f.changed_import_id, f.changed_position, f.update_time
    FROM won, {former_as_f("won")}
    WHERE won.former IS NOT NULL
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET ({FIELDS}, changed_import_id, changed_position, update_time)
        = ROW ({fields_of("excluded")}, excluded.changed_import_id, excluded.changed_position, excluded.update_time)
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
