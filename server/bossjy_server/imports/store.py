"""Imports, their parts and their refused rows in the database. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import asyncpg

from bossjy_server.imports.filters import COLUMNS
from bossjy_server.imports.records import Counts, ImportJob, Part, RejectedRow, Spec, State
from bossjy_server.imports.resolve import Resolved
from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_IMPORT = (
    "i.import_id, i.state, i.spec, i.resolved, i.revision, i.validate_only, i.plan_version, i.created_by, "
    "i.create_time, i.update_time, i.end_time, i.failure, i.rejects_truncated"
)
_PART = (
    "part, committed_offset, committed_lines, rows_in, inserted, updated, unchanged, duplicate, rejected, decoder, "
    "finished, holder"
)

# One row; none if the call was made before (then it is read by SELECT_BY_REQUEST).
INSERT_IMPORT = """
INSERT INTO bossjy.imports (tenant_id, import_id, request_id, request_hash, created_by, state, spec, part_count,
    validate_only, plan_version)
VALUES ($1, $2, nullif($3, ''), $4, $5, 'open', $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT imports_request_unique DO NOTHING
RETURNING import_id"""

INSERT_PARTS = """
INSERT INTO bossjy.import_parts (tenant_id, import_id, part) SELECT $1, $2, n FROM generate_series(0, $3 - 1) n"""

SELECT_BY_REQUEST = "SELECT import_id, request_hash FROM bossjy.imports WHERE tenant_id = $1 AND request_id = $2"

# Held until the end of the transaction, so that two calls cannot both find room for the last import.
LOCK_TENANT = "SELECT default_region FROM bossjy.tenants WHERE tenant_id = $1 FOR NO KEY UPDATE"

COUNT_OPEN = "SELECT count(*) FROM bossjy.imports WHERE tenant_id = $1 AND state = 'open'"

DEFAULT_REGION = "SELECT default_region FROM bossjy.tenants WHERE tenant_id = $1"

SELECT_IMPORT = f"SELECT {_IMPORT} FROM bossjy.imports i WHERE i.tenant_id = $1 AND i.import_id = $2"

SELECT_PARTS = f"SELECT {_PART} FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = $2 ORDER BY part"

SELECT_PARTS_OF = f"""
SELECT import_id, {_PART} FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = ANY ($2::text[])
ORDER BY import_id, part"""

SELECT_REVISION = "SELECT revision FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2"

SELECT_STATE = "SELECT state FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2"

# A page, the newest first, behind the last import of the page before.
LIST_IMPORTS = f"""
SELECT {_IMPORT} FROM bossjy.imports i
WHERE i.tenant_id = $1 AND (i.create_time, i.import_id) < ($2, $3)"""

# The newest stream holds the part; an older one finds out at its next block.
TAKE_PART = f"""
UPDATE bossjy.import_parts SET holder = $4, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND part = $3
RETURNING {_PART}"""

# First statement of a block's transaction: nobody else commits to this part until it ends.
LOCK_PART = """
SELECT committed_offset, holder, finished FROM bossjy.import_parts
WHERE tenant_id = $1 AND import_id = $2 AND part = $3 FOR UPDATE"""

# Last statements of a block's transaction: the offset, and the counts of the rows that it stands for.
ADVANCE_PART = f"""
UPDATE bossjy.import_parts
SET committed_offset = $4, committed_lines = $5, decoder = $6, rows_in = rows_in + $7, inserted = inserted + $8,
    updated = updated + $9, unchanged = unchanged + $10, duplicate = duplicate + $11, rejected = rejected + $12,
    finished = $13, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND part = $3
RETURNING {_PART}"""

# Refused while the import is not open: then the whole block is rolled back.
TOUCH_IMPORT = """
UPDATE bossjy.imports
SET revision = revision + 1, update_time = now(), rejects_truncated = rejects_truncated OR $3
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
RETURNING revision"""

# What the header said. Written once.
RESOLVE_IMPORT = """
UPDATE bossjy.imports SET resolved = $3, revision = revision + 1, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open' AND resolved = '{}'
RETURNING revision"""

# Succeeds with the last part.
FINISH_IMPORT = """
UPDATE bossjy.imports SET state = 'succeeded', end_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
    AND NOT EXISTS (SELECT FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = $2 AND NOT finished)"""

END_IMPORT = """
UPDATE bossjy.imports
SET state = $3, failure = $4, end_time = now(), update_time = now(), revision = revision + 1
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
RETURNING revision"""

# A piece of what is not needed when the import has ended: numbers that it named and did not change.
FORGET_SEEN = """
DELETE FROM bossjy.import_changes
WHERE (tenant_id, import_id, e164) IN (
    SELECT tenant_id, import_id, e164 FROM bossjy.import_changes
    WHERE tenant_id = $1 AND import_id = $2 AND former IS NULL LIMIT 10000)
    AND EXISTS (SELECT FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2 AND state <> 'open')"""

INSERT_REJECTS = """
INSERT INTO bossjy.import_rejects (tenant_id, import_id, part, byte_offset, line, reason, column_name, original,
    suggestion, row_text)
SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[], $9::text[],
    $10::text[])"""

# A page in the order of the file; reason 0 stands for all.
LIST_REJECTS = """
SELECT part, line, byte_offset, column_name, reason, original, suggestion, row_text FROM bossjy.import_rejects
WHERE tenant_id = $1 AND import_id = $2 AND (part, byte_offset) > ($3, $4) AND ($5 = 0 OR reason = $5)
ORDER BY part, byte_offset LIMIT $6"""


async def insert_import(  # noqa: PLR0913 - the columns of the row
    connection: Connection,
    tenant_id: str,
    import_id: str,
    *,
    request_id: str,
    request_hash: bytes,
    created_by: str,
    spec: Spec,
    validate_only: bool,
    plan_version: str,
) -> bool:
    """Make an import with its parts; False if the request made one before."""
    made = await connection.fetchval(
        INSERT_IMPORT,
        tenant_id,
        import_id,
        request_id,
        request_hash,
        created_by,
        spec.to_json(),
        spec.part_count,
        validate_only,
        plan_version,
    )
    if made is None:
        return False
    await connection.execute(INSERT_PARTS, tenant_id, import_id, spec.part_count)
    return True


async def find_request(connection: Connection, tenant_id: str, request_id: str) -> tuple[str, bytes] | None:
    """Id and hash of the request that made an import."""
    row = await connection.fetchrow(SELECT_BY_REQUEST, tenant_id, request_id)
    return (row["import_id"], row["request_hash"]) if row else None


async def count_open(connection: Connection, tenant_id: str) -> int:
    """Imports that are open; no other transaction of the tenant can open one until this one ends."""
    await connection.fetchval(LOCK_TENANT, tenant_id)
    return int(await connection.fetchval(COUNT_OPEN, tenant_id))


async def default_region(connection: Connection, tenant_id: str) -> str:
    """The tenant's default region; empty for none."""
    return str(await connection.fetchval(DEFAULT_REGION, tenant_id) or "")


async def find_import(connection: Connection, tenant_id: str, import_id: str) -> ImportJob | None:
    """Read an import with its parts."""
    row = await connection.fetchrow(SELECT_IMPORT, tenant_id, import_id)
    if row is None:
        return None
    return _import(row, [_part(part) for part in await connection.fetch(SELECT_PARTS, tenant_id, import_id)])


async def list_imports(
    connection: Connection, tenant_id: str, tree: Filter | None, before: tuple[datetime, str], limit: int
) -> list[ImportJob]:
    """A page of imports that pass the filter, the newest first, older than `before` (time, import id)."""
    query = Query(LIST_IMPORTS, [tenant_id, *before])
    if tree is not None:
        query.text += f" AND {condition(query, tree, COLUMNS)}"
    query.text += f" ORDER BY i.create_time DESC, i.import_id DESC LIMIT {query.parameter(limit, 'bigint')}"
    rows = await connection.fetch(query.text, *query.parameters)
    parts: dict[str, list[Part]] = {row["import_id"]: [] for row in rows}
    for part in await connection.fetch(SELECT_PARTS_OF, tenant_id, list(parts)):
        parts[part["import_id"]].append(_part(part))
    return [_import(row, parts[row["import_id"]]) for row in rows]


async def find_revision(connection: Connection, tenant_id: str, import_id: str) -> int | None:
    """The revision alone."""
    value = await connection.fetchval(SELECT_REVISION, tenant_id, import_id)
    return None if value is None else int(value)


async def find_state(connection: Connection, tenant_id: str, import_id: str) -> State | None:
    """The state alone."""
    value = await connection.fetchval(SELECT_STATE, tenant_id, import_id)
    return None if value is None else State(value)


async def take_part(connection: Connection, tenant_id: str, import_id: str, part: int, holder: str) -> Part | None:
    """Make `holder` the stream of the part."""
    row = await connection.fetchrow(TAKE_PART, tenant_id, import_id, part, holder)
    return _part(row) if row else None


async def lock_part(connection: Connection, tenant_id: str, import_id: str, part: int) -> tuple[int, str, bool]:
    """Hold a part until the end of the transaction: its committed offset, its holder, whether it is finished."""
    row = await connection.fetchrow(LOCK_PART, tenant_id, import_id, part)
    if row is None:
        raise LookupError("the part is gone")  # nothing deletes parts
    return row["committed_offset"], row["holder"] or "", row["finished"]


async def advance_part(  # noqa: PLR0913 - the columns of the row
    connection: Connection,
    tenant_id: str,
    import_id: str,
    part: int,
    *,
    offset: int,
    lines: int,
    decoder: str,
    counts: Counts,
    finished: bool,
) -> Part:
    """Set what is committed, and add the counts. The part is locked."""
    row = await connection.fetchrow(
        ADVANCE_PART,
        tenant_id,
        import_id,
        part,
        offset,
        lines,
        decoder,
        counts.rows_in,
        counts.inserted,
        counts.updated,
        counts.unchanged,
        counts.duplicate,
        counts.rejected,
        finished,
    )
    if row is None:
        raise LookupError("the part is gone")
    return _part(row)


async def touch_import(connection: Connection, tenant_id: str, import_id: str, *, truncated: bool) -> bool:
    """Note a change; False if the import is not open."""
    return await connection.fetchval(TOUCH_IMPORT, tenant_id, import_id, truncated) is not None


async def resolve_import(
    connection: Connection, tenant_id: str, import_id: str, resolved: Spec, found: Resolved
) -> Part | None:
    """Keep what was found out, and that part 0 is read as far as its first row; None if the import is not open."""
    encoded = resolved.source.is_encoded
    if await connection.fetchval(RESOLVE_IMPORT, tenant_id, import_id, resolved.to_json()) is None:
        return None
    return await advance_part(
        connection,
        tenant_id,
        import_id,
        0,
        # Such bytes are read from the first one again, so none of them counts as committed yet.
        offset=0 if encoded else found.text_offset,
        lines=found.line - 1,
        decoder=f'{{"text":{found.text_offset}}}' if encoded else "{}",
        counts=Counts(),
        finished=False,
    )


async def finish_import(connection: Connection, tenant_id: str, import_id: str) -> None:
    """End the import if all of its parts are finished."""
    await connection.execute(FINISH_IMPORT, tenant_id, import_id)


async def end_import(connection: Connection, tenant_id: str, import_id: str, state: State, failure: str = "") -> bool:
    """End an open import; False if it was not open."""
    return await connection.fetchval(END_IMPORT, tenant_id, import_id, state.value, failure) is not None


async def forget_seen(connection: Connection, tenant_id: str, import_id: str) -> bool:
    """Forget some of the numbers that an ended import named and did not change; whether there were any."""
    tag = await connection.execute(FORGET_SEEN, tenant_id, import_id)
    return not tag.endswith(" 0")


async def insert_rejects(
    connection: Connection, tenant_id: str, import_id: str, part: int, rows: Sequence[RejectedRow]
) -> None:
    """Keep refused rows."""
    if rows:
        await connection.execute(
            INSERT_REJECTS,
            tenant_id,
            import_id,
            part,
            [row.byte_offset for row in rows],
            [row.line for row in rows],
            [row.reason for row in rows],
            [row.column for row in rows],
            [row.original for row in rows],
            [row.suggestion for row in rows],
            [row.row_text for row in rows],
        )


async def list_rejects(
    connection: Connection, tenant_id: str, import_id: str, after: tuple[int, int], *, reason: int, limit: int
) -> list[RejectedRow]:
    """A page of refused rows behind `after` (part, byte offset); reason 0 for all."""
    rows = await connection.fetch(LIST_REJECTS, tenant_id, import_id, *after, reason, limit)
    return [
        RejectedRow(
            row["part"],
            row["line"],
            row["byte_offset"],
            row["column_name"],
            row["reason"],
            row["original"],
            row["suggestion"],
            row["row_text"],
        )
        for row in rows
    ]


def _part(row: asyncpg.Record) -> Part:
    return Part(
        part=row["part"],
        committed_offset=row["committed_offset"],
        next_line=row["committed_lines"] + 1,
        counts=Counts(
            row["rows_in"], row["inserted"], row["updated"], row["unchanged"], row["duplicate"], row["rejected"]
        ),
        finished=row["finished"],
        holder=row["holder"] or "",
        decoder=row["decoder"],
    )


def _import(row: asyncpg.Record, parts: Sequence[Part]) -> ImportJob:
    spec = Spec.from_json(row["spec"])
    if spec is None:
        raise LookupError("an import without a spec")
    return ImportJob(
        import_id=row["import_id"],
        state=State(row["state"]),
        spec=spec,
        resolved=Spec.from_json(row["resolved"]),
        parts=tuple(parts),
        revision=row["revision"],
        validate_only=row["validate_only"],
        metadata_version=row["plan_version"],
        created_by=row["created_by"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        end_time=row["end_time"],
        failure=row["failure"],
        rejects_truncated=row["rejects_truncated"],
    )
