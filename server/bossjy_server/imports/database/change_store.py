"""Storage of the contacts that an import changed. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from bossjy_server.imports.cleaning.duplicates import OFFSET_BITS
from bossjy_server.imports.database.layers import Fields
from bossjy_server.imports.database.statements import FIELD_NAMES, NO_LATER_FIELDS, contact_of, fields_json
from bossjy_server.storage.postgres import Connection

# A page by number. If the fields of a row are NULL, the contact had just these fields after it: the fields that the
# next import to change the contact found, or the contact's present fields.
LIST_CHANGES = f"""
SELECT m.e164, m.position, m.line, m.former, m.fields, CASE WHEN m.fields IS NULL THEN coalesce(
    (SELECT n.former FROM bossjy.imports i
        JOIN bossjy.import_changes n ON n.tenant_id = i.tenant_id AND n.import_id = i.import_id AND n.e164 = m.e164
        WHERE i.tenant_id = $1 AND NOT i.validate_only AND n.sequence > m.sequence AND n.former IS NOT NULL
        ORDER BY n.sequence LIMIT 1),
    ({contact_of("m", fields_json("c"))})) END AS after
FROM bossjy.import_changes m
WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 > $3 AND m.former IS NOT NULL
ORDER BY m.e164 LIMIT $4"""


@dataclass(frozen=True, slots=True)
class Changed:
    """A contact before an import changed it, and the `row` that was merged into it, or the contact `after` that."""

    e164: str
    part: int
    byte_offset: int
    line: int
    former: Fields
    row: Fields | None
    after: Fields | None


async def page(connection: Connection, tenant_id: str, import_id: str, after: str, limit: int) -> list[Changed]:
    """A page of contacts that the import changed, after the number `after`."""
    return [_changed(row) for row in await connection.fetch(LIST_CHANGES, tenant_id, import_id, after, limit)]


def _changed(row: asyncpg.Record) -> Changed:
    position = row["position"]
    return Changed(
        e164=row["e164"],
        part=position >> OFFSET_BITS,
        byte_offset=position & ((1 << OFFSET_BITS) - 1),
        line=row["line"] or 0,
        former=_fields(row["former"]),
        row=_fields(row["fields"]) if row["fields"] else None,
        after=_fields(row["after"]) if row["after"] else None,
    )


def _fields(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {**NO_LATER_FIELDS, **orjson.loads(text)}
    # Former values also have their author and time.
    return {name: value for name, value in found.items() if name in FIELD_NAMES}
