"""Storage of the parts of imports. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from bossjy_server.imports.records import Counts, Part
from bossjy_server.storage.postgres import Connection

_PART = (
    "part, committed_offset, committed_lines, rows_in, inserted, updated, unchanged, duplicate, rejected, decoder, "
    "finished, holder"
)

INSERT_PARTS = """
INSERT INTO bossjy.import_parts (tenant_id, import_id, part) SELECT $1, $2, n FROM generate_series(0, $3 - 1) n"""

SELECT_PARTS_OF = f"""
SELECT import_id, {_PART} FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = ANY ($2::text[])
ORDER BY import_id, part"""

# The newest stream has the part. An older one gets an error at its next block.
TAKE_PART = f"""
UPDATE bossjy.import_parts SET holder = $4, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND part = $3
RETURNING {_PART}"""

# First statement of a block's transaction: nobody else commits to this part until it ends.
LOCK_PART = """
SELECT committed_offset, holder, finished FROM bossjy.import_parts
WHERE tenant_id = $1 AND import_id = $2 AND part = $3 FOR UPDATE"""

# Last statements of a block's transaction: the offset, and the counts of its rows.
ADVANCE_PART = f"""
UPDATE bossjy.import_parts
SET committed_offset = $4, committed_lines = $5, decoder = $6, rows_in = rows_in + $7, inserted = inserted + $8,
    updated = updated + $9, unchanged = unchanged + $10, duplicate = duplicate + $11, rejected = rejected + $12,
    finished = $13, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND part = $3
RETURNING {_PART}"""


# Rejected rows of a block that is not merged: the offset of the part does not change.
ADD_REJECTED = """
UPDATE bossjy.import_parts SET rows_in = rows_in + $4, rejected = rejected + $4, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND part = $3"""

# Runs after TOUCH_IMPORT, for which the blocks of an import wait: so it sees the commits of all parts.
SUM_PARTS = """
SELECT sum(rows_in)::bigint AS rows_in, sum(rejected)::bigint AS rejected,
    bool_and(finished OR part = $3) AS others_finished
FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = $2"""


async def add_rejected(connection: Connection, tenant_id: str, import_id: str, part: int, count: int) -> None:
    """Count rejected rows only."""
    await connection.execute(ADD_REJECTED, tenant_id, import_id, part, count)


async def totals(connection: Connection, tenant_id: str, import_id: str, part: int) -> tuple[int, int, bool]:
    """Rows and rejected rows of all parts, and true if all other parts are finished. The import is locked."""
    row = await connection.fetchrow(SUM_PARTS, tenant_id, import_id, part)
    if row is None:
        raise LookupError("an aggregate gives one row")
    return row["rows_in"], row["rejected"], row["others_finished"]


async def insert_all(connection: Connection, tenant_id: str, import_id: str, count: int) -> None:
    """Make the parts of a new import."""
    await connection.execute(INSERT_PARTS, tenant_id, import_id, count)


async def of_imports(connection: Connection, tenant_id: str, import_ids: Sequence[str]) -> dict[str, list[Part]]:
    """The parts of some imports, in their order."""
    parts: dict[str, list[Part]] = {import_id: [] for import_id in import_ids}
    for part in await connection.fetch(SELECT_PARTS_OF, tenant_id, list(parts)):
        parts[part["import_id"]].append(_part(part))
    return parts


async def take(connection: Connection, tenant_id: str, import_id: str, part: int, holder: str) -> Part | None:
    """Make `holder` the stream of the part."""
    row = await connection.fetchrow(TAKE_PART, tenant_id, import_id, part, holder)
    return _part(row) if row else None


async def lock(connection: Connection, tenant_id: str, import_id: str, part: int) -> tuple[int, str, bool]:
    """Lock a part until the end of the transaction: its committed offset, its holder, and true if it is finished."""
    row = await connection.fetchrow(LOCK_PART, tenant_id, import_id, part)
    if row is None:
        raise LookupError("the part is gone")  # nothing deletes parts
    return row["committed_offset"], row["holder"] or "", row["finished"]


async def advance(  # noqa: PLR0913 - the columns of the row
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
    """Set the committed state, and add the counts. The part is locked."""
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
