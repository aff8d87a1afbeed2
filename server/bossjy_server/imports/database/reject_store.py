"""Storage of rejected rows. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Sequence

from bossjy_server.imports.records import RejectedRow
from bossjy_server.storage.postgres import Connection

INSERT_REJECTS = """
INSERT INTO bossjy.import_rejects (tenant_id, import_id, part, byte_offset, line, reason, column_name, original,
    suggestion, row_text)
SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[], $9::text[],
    $10::text[])"""

# A page in the order of the file; reason 0 means all.
LIST_REJECTS = """
SELECT part, line, byte_offset, column_name, reason, original, suggestion, row_text FROM bossjy.import_rejects
WHERE tenant_id = $1 AND import_id = $2 AND (part, byte_offset) > ($3, $4) AND ($5 = 0 OR reason = $5)
ORDER BY part, byte_offset LIMIT $6"""


async def insert(
    connection: Connection, tenant_id: str, import_id: str, part: int, rows: Sequence[RejectedRow]
) -> None:
    """Keep rejected rows."""
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


async def page(
    connection: Connection, tenant_id: str, import_id: str, after: tuple[int, int], *, reason: int, limit: int
) -> list[RejectedRow]:
    """A page of rejected rows after `after` (part, byte offset); reason 0 for all."""
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
