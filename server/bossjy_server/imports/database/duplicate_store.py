"""Storage of duplicate rows. Every function runs in a transaction of the tenant."""

from __future__ import annotations

import io
from typing import Any

import asyncpg
import orjson

from bossjy_server.imports.cleaning.duplicates import MOST_ATTRIBUTES, OFFSET_BITS, DuplicateRow, RowValues
from bossjy_server.imports.database.statements import contact_of
from bossjy_server.storage.postgres import Connection

_OFFSETS = (1 << OFFSET_BITS) - 1

_VALUES = "extension, name, email, other_numbers, attributes"


def _place(position: str) -> str:
    """Part and byte offset of a position."""
    return f"({position} >> {OFFSET_BITS})::integer, {position} & {_OFFSETS}"


def _winner(wanted: str = "true") -> str:
    """The row of the import that won with the number of `l`, if the database still knows it; none unless `wanted`."""
    return f"""
    SELECT m.position, m.line FROM bossjy.import_changes m
    WHERE {wanted} AND m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = l.e164
    UNION ALL
    SELECT c.position, c.line FROM (
        {contact_of("l", "c.created_import_id, c.created_position AS position, c.created_line AS line")}) c
    WHERE {wanted} AND c.created_import_id = $2
    LIMIT 1"""


# The rows of pg_temp.bossjy_lost.
INSERT_LOST = f"""
INSERT INTO bossjy.import_duplicates (tenant_id, import_id, part, byte_offset, line, e164, winner_position, winner_line,
    {_VALUES}, row_text)
SELECT $1, $2, {_place("l.position")}, l.line, l.e164,
    CASE WHEN l.winner_position < 0 THEN won.position ELSE l.winner_position END,
    CASE WHEN l.winner_position < 0 THEN won.line ELSE l.winner_line END, {_VALUES}, l.row_text
FROM pg_temp.bossjy_lost l LEFT JOIN LATERAL ({_winner("l.winner_position < 0")}) won ON true"""

# A page in the order of the file, with the contacts of the numbers as they are now.
LIST_DUPLICATES = f"""
SELECT l.part, l.byte_offset, l.line, l.e164, l.extension, l.name, l.email, l.other_numbers, l.attributes, l.row_text,
    coalesce(won.position, l.winner_position) AS winner_position,
    CASE WHEN won.position IS NULL THEN l.winner_line ELSE won.line END AS winner_line,
    c.extension AS now_extension, c.name AS now_name, c.email AS now_email, c.other_numbers AS now_other_numbers,
    c.attributes AS now_attributes
FROM bossjy.import_duplicates l
LEFT JOIN LATERAL ({_winner()}) won ON true
LEFT JOIN LATERAL (
    {contact_of("l", "c.extension, c.name, c.email, c.other_numbers, c.attributes")}) c ON true
WHERE l.tenant_id = $1 AND l.import_id = $2 AND (l.part, l.byte_offset) > ($3, $4)
ORDER BY l.part, l.byte_offset LIMIT $5"""

# A piece of the duplicates of imports that ended too long ago to be reverted.
FORGET_DUPLICATES = """
DELETE FROM bossjy.import_duplicates WHERE (tenant_id, import_id, part, byte_offset) IN (
    SELECT d.tenant_id, d.import_id, d.part, d.byte_offset FROM bossjy.imports i
    JOIN bossjy.import_duplicates d ON d.tenant_id = i.tenant_id AND d.import_id = i.import_id
    WHERE i.tenant_id = $1 AND i.end_time < now() - make_interval(days => $2) LIMIT 10000)"""


def values_in(fields: str) -> str:
    """A JSON object with the values of a row as a table for `keep_lost`."""
    columns = "extension text, name text, email text, other_numbers text[], attributes jsonb"
    return f"jsonb_to_record({fields}) AS f ({columns})"


def keep_lost(won: str, values: str) -> str:
    """A CTE that keeps at most $4 superseded rows of the table `won`, another CTE of the statement.

    `values`: the values of a superseded row as a table `f`.
    """
    return f"""kept AS (
    INSERT INTO bossjy.import_duplicates (tenant_id, import_id, part, byte_offset, line, e164, winner_position,
        winner_line, {_VALUES})
    SELECT $1, $2, {_place("won.lost_position")}, coalesce(won.lost_line, 0), won.e164, won.position, won.line,
        coalesce(f.extension, ''), coalesce(f.name, ''), coalesce(f.email, ''), coalesce(f.other_numbers, '{{}}'),
        CASE WHEN length(f.attributes::text) <= {MOST_ATTRIBUTES} THEN f.attributes ELSE '{{}}' END
    FROM {won} won CROSS JOIN LATERAL {values}
    WHERE won.lost_position IS NOT NULL ORDER BY won.lost_position LIMIT $4
)"""


async def insert(connection: Connection, tenant_id: str, import_id: str, copy_text: bytes, columns: list[str]) -> None:
    """Keep rows that lost, in the format of COPY. Runs after their merge; `BlockMerge.copy` made the table."""
    await connection.copy_to_table(
        "bossjy_lost",
        source=io.BytesIO(copy_text),
        columns=columns,
        format="csv",
        null="\\N",
        schema_name="pg_temp",
    )
    await connection.execute(INSERT_LOST, tenant_id, import_id)


async def page(
    connection: Connection, tenant_id: str, import_id: str, after: tuple[int, int], limit: int
) -> list[DuplicateRow]:
    """A page of duplicate rows after `after` (part, byte offset)."""
    return [_row(row) for row in await connection.fetch(LIST_DUPLICATES, tenant_id, import_id, *after, limit)]


async def forget(connection: Connection, tenant_id: str, days: int) -> bool:
    """Delete some duplicates of imports that ended more than so many days ago. True if there were any."""
    tag = await connection.execute(FORGET_DUPLICATES, tenant_id, days)
    return not tag.endswith(" 0")


def _row(row: asyncpg.Record) -> DuplicateRow:
    position = row["winner_position"]
    return DuplicateRow(
        part=row["part"],
        line=row["line"],
        byte_offset=row["byte_offset"],
        e164=row["e164"],
        winner=None if position is None else (position >> OFFSET_BITS, position & _OFFSETS),
        winner_line=row["winner_line"] or 0,
        values=_values(row, ""),
        contact=None if row["now_name"] is None else _values(row, "now_"),
        row_text=row["row_text"],
    )


def _values(row: asyncpg.Record, prefix: str) -> RowValues:
    attributes: dict[str, Any] = orjson.loads(row[f"{prefix}attributes"])
    return RowValues(
        extension=row[f"{prefix}extension"],
        name=row[f"{prefix}name"],
        email=row[f"{prefix}email"],
        other_numbers=tuple(row[f"{prefix}other_numbers"]),
        attributes=attributes,
    )
