"""Changes of contacts that existed before an import, by its rows. Runs inside the transaction of a block.

The marks of the rows already have the contacts' former values: `mark_seen` stored them. So a contact is changed only if
its latest version still has these values. If others changed it in between, its mark is refreshed first.
"""

from __future__ import annotations

from bossjy_server.imports.database.former import RESET_UNSEEN, UNSEEN, older_than, report_unseen, too_many_attempts
from bossjy_server.imports.database.statements import (
    CHOSEN,
    FIELDS,
    FORMER,
    MERGED_VALUES,
    STAGED,
    contact_of,
    differs_from,
)
from bossjy_server.imports.records import ExistingPolicy
from bossjy_server.storage.postgres import Connection

_ATTEMPTS = 10


def update_existing(policy: ExistingPolicy) -> str:
    """The statement that changes contacts from before the import if they differ from their rows.

    $4: the oldest transaction that the statement for the marks could not read. Contacts of older ones are as their
    marks say. So are those that this transaction wrote, by `supersede`, before it stored the marks. Others are
    compared.
    Returns the number of changed contacts, and of inserted ones, because somebody deleted them a moment before.
    """
    marked = f"""(SELECT m.former FROM bossjy.import_changes m WHERE m.tenant_id = $1 AND m.import_id = $2
            AND m.e164 BETWEEN c.e164 AND c.e164 ORDER BY m.e164 LIMIT 1) = {FORMER}"""
    return f"""
WITH changed AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, {FIELDS},
        created_import_id, created_position, changed_import_id, changed_position, created_line)
    SELECT $1, e164, {FIELDS}, $2, position, $2, position, line
    FROM {STAGED} s WHERE {CHOSEN}
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET ({FIELDS}) = ROW ({", ".join(MERGED_VALUES[policy])}),
        changed_import_id = $2, changed_position = excluded.changed_position, update_time = now()
    WHERE {differs_from(policy, "excluded")}
        AND CASE WHEN {older_than("c", "$4::text::xid8")} OR c.xmin = (SELECT pg_current_xact_id()::xid) THEN true
            WHEN {marked} THEN true ELSE {report_unseen()} END
    RETURNING (c.created_import_id, c.created_position) IS DISTINCT FROM ($2, c.changed_position) AS existed
)
SELECT count(*) FILTER (WHERE existed) AS updated, count(*) FILTER (WHERE NOT existed) AS inserted, {UNSEEN}
FROM changed"""


def refresh_marks(policy: ExistingPolicy) -> str:
    """The statement that stores the present values of contacts that the rows would change, in the marks of the rows.

    Marks of rows that would not change the contact, or that created it, lose their former values. Marks of rows that
    have changed the contact stay. Returns the oldest transaction that the statement could not read.
    """
    found = f"""CASE WHEN {differs_from(policy, "s")} THEN {FORMER} END AS former,
        (c.created_import_id, c.created_position) IS NOT DISTINCT FROM ($2, s.position) AS created,
        (c.changed_import_id, c.changed_position) IS NOT DISTINCT FROM ($2, s.position) AS changed"""
    return f"""
WITH marked AS (
    INSERT INTO bossjy.import_changes AS m (tenant_id, import_id, e164, position, line, former)
    SELECT $1, $2, s.e164, s.position, s.line, CASE WHEN NOT found.created THEN found.former END
    FROM {STAGED} s LEFT JOIN LATERAL (
        {contact_of("s", found)}) found ON true
    WHERE {CHOSEN} AND (found.changed IS NOT TRUE OR found.created)
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE SET former = excluded.former
    WHERE m.former IS DISTINCT FROM excluded.former
)
SELECT pg_snapshot_xmin(pg_current_snapshot())::text"""


async def overwrite(  # noqa: PLR0917 - the arguments of a statement
    connection: Connection, tenant_id: str, import_id: str, policy: ExistingPolicy, rows: list[int], since: str | None
) -> tuple[int, int]:
    """Merge the staged rows with these positions, whose numbers are marked. Returns the inserted and updated counts.

    `since`: of `mark_seen`; None if their marks have no former values. Raises LostToAnother.
    """
    inserted = updated = 0
    for _ in range(_ATTEMPTS):
        since = since or await connection.fetchval(refresh_marks(policy), tenant_id, import_id, rows)
        found = await connection.fetchrow(update_existing(policy), tenant_id, import_id, rows, since)
        if found is None:
            raise LookupError("the statement gives one row")
        inserted, updated = inserted + found["inserted"], updated + found["updated"]
        if not found["unseen"]:
            break
        await connection.execute(RESET_UNSEEN)
        since = None
    else:
        raise too_many_attempts(_ATTEMPTS)
    if updated < len(rows):  # others changed the contacts to what the rows say, or deleted them
        await connection.fetchval(refresh_marks(policy), tenant_id, import_id, rows)
    return inserted, updated
