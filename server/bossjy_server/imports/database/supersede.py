"""Superseding: a row takes the place of another row of its import with the same number.

This happens if the last row wins, and if parts are uploaded at once and the first row comes after a later one. The
contact then gets the values that it would have without the loser: its values from before the import, with the winner's
row merged into them.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from bossjy_server.imports.database.duplicate_store import keep_lost, values_in
from bossjy_server.imports.database.former import SEEN_CHANGE, SEEN_CONTACT, UNSEEN, settled
from bossjy_server.imports.database.statements import (
    CHOSEN,
    FIELDS,
    FORMER_FIELDS,
    STAGED,
    contact_of,
    fields_json,
    fields_of,
    former_as_f,
)
from bossjy_server.imports.records import DuplicatePolicy
from bossjy_server.storage.postgres import Connection

_LOST_VALUES = "c.extension, c.name, c.email, c.other_numbers, c.attributes"
_LOST_CONTACT = f"c.created_position AS lost_position, c.created_line AS lost_line, {_LOST_VALUES}, c.create_time"
_BEATS = {DuplicatePolicy.FIRST_WINS: "<", DuplicatePolicy.LAST_WINS: ">"}


# Waits for parts that are changing the same marks, so that the statement after it sees their commits. A statement that
# waits itself sees the present version of the row that it waited for, but all other rows as they were when it began.
# Rows are staged, and so locked, in the order of their numbers.
LOCK_SEEN = f"""
SELECT count(*) FROM {STAGED} s CROSS JOIN LATERAL (
    SELECT FROM bossjy.import_changes m
    WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = s.e164 FOR UPDATE) locked
WHERE {CHOSEN}"""


def supersede_created(policy: DuplicatePolicy) -> str:
    """Contacts that the import created itself and nobody has changed since: the winner's row as it is.

    Returns the positions of the winners, and the number of rows that they superseded. Keeps at most $4 of these rows.
    """
    return f"""
WITH won AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, {FIELDS},
        created_import_id, created_position, changed_import_id, changed_position, created_line)
    SELECT $1, e164, {FIELDS}, $2, position, $2, position, line
    FROM {STAGED} s
    WHERE {CHOSEN}
        AND ({contact_of("s", "c.created_import_id = $2")})
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET ({FIELDS}) = ROW ({fields_of("excluded")}), created_position = excluded.created_position,
        changed_position = excluded.changed_position, created_line = excluded.created_line, update_time = now()
    WHERE c.created_import_id = $2 AND c.changed_import_id = $2
        AND excluded.created_position {_BEATS[policy]} c.created_position AND {SEEN_CONTACT}
    RETURNING c.e164, c.created_position AS position, c.created_line AS line, c.create_time
), lost AS (
    SELECT won.e164, won.position, won.line, was.* FROM won LEFT JOIN LATERAL (
        {contact_of("won", _LOST_CONTACT)}) was
    ON was.create_time = won.create_time -- else the contact was deleted, and the action made another
), {keep_lost("lost", f"(SELECT {_LOST_VALUES.replace('c.', 'won.')}) f")}
SELECT array_agg(position) AS positions, count(lost_position) AS lost, {UNSEEN} FROM lost"""


def supersede_seen(policy: DuplicatePolicy) -> str:
    """Contacts from before the import: the mark moves to the winner, and the changes of the loser are undone.

    Returns the positions of the winners, the number of superseded rows, and the number of these that had changed the
    contact. Keeps at most $4 of the superseded rows as duplicates. Contacts that somebody else changed since stay.
    """
    return f"""
WITH won AS (
    INSERT INTO bossjy.import_changes AS m (tenant_id, import_id, e164, position, line, fields)
    SELECT $1, $2, s.e164, s.position, s.line, {fields_json("s")} FROM {STAGED} s
    WHERE {CHOSEN}
        AND ({contact_of("s", "c.created_import_id IS DISTINCT FROM $2")})
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE
    SET position = excluded.position, line = excluded.line, fields = excluded.fields, former = NULL
    WHERE excluded.position {_BEATS[policy]} m.position
        AND (m.former IS NULL OR ({contact_of("m", "c.changed_import_id = $2")})) AND {SEEN_CHANGE}
    RETURNING m.e164, m.position, m.line, m.sequence
), lost AS (
    SELECT won.e164, won.position, won.line, was.* FROM won LEFT JOIN LATERAL (
        SELECT m.position AS lost_position, m.line AS lost_line, m.fields AS lost_fields, m.former, m.sequence
        FROM bossjy.import_changes m WHERE m.tenant_id = $1 AND m.import_id = $2
            AND m.e164 BETWEEN won.e164 AND won.e164 ORDER BY m.e164 LIMIT 1) was
    ON was.sequence = won.sequence -- else the mark was deleted, and the action made another
), restored AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, {FIELDS}, changed_import_id, changed_position, update_time)
    SELECT $1, lost.e164, {FORMER_FIELDS}, f.changed_import_id, f.changed_position, f.update_time
    FROM lost, {former_as_f("lost")}
    WHERE lost.former IS NOT NULL
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET ({FIELDS}, changed_import_id, changed_position, update_time)
        = ROW ({fields_of("excluded")}, excluded.changed_import_id, excluded.changed_position, excluded.update_time)
), {keep_lost("lost", values_in(f"coalesce(won.lost_fields, ({contact_of('won', fields_json('c'))}))"))}
SELECT array_agg(position) AS positions, count(lost_position) AS lost, count(former) AS had_changed, {UNSEEN}
FROM lost"""


@dataclass(frozen=True, slots=True)
class Displaced:
    """`positions` of rows to be merged in place of others, of which `had_changed` had changed a contact.

    `winners`: the positions of all rows that won, including these; `lost`: the number of rows that they superseded.
    """

    positions: list[int]
    had_changed: int
    winners: list[int]
    lost: int


async def supersede(  # noqa: PLR0917 - the arguments of a statement
    connection: Connection, tenant_id: str, import_id: str, rows: list[int], policy: DuplicatePolicy, keep: int
) -> Displaced:
    """Let the winners take over, among the staged rows with these positions. All of their numbers were seen before.

    At most `keep` of the rows that they supersede are kept as duplicates.
    """
    created = await settled(connection, supersede_created(policy), tenant_id, import_id, rows, keep=keep)
    lost = sum(row["lost"] for row in created)
    await connection.fetchval(LOCK_SEEN, tenant_id, import_id, rows)
    seen = await settled(connection, supersede_seen(policy), tenant_id, import_id, rows, keep=max(0, keep - lost))
    positions = _positions(seen)
    return Displaced(
        positions,
        sum(row["had_changed"] for row in seen),
        winners=[*_positions(created), *positions],
        lost=lost + sum(row["lost"] for row in seen),
    )


def _positions(rows: list[asyncpg.Record]) -> list[int]:
    return [position for row in rows for position in row["positions"] or []]
