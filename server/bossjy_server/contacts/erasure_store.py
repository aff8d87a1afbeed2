"""Search and removal of numbers in all places of the database. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# Rejected rows of 8,000 characters, searched in a few milliseconds.
_REJECTS_AT_ONCE = 50
_BLANKED_AT_ONCE = 10_000

# One erasure of a tenant at a time: so the second of two equal requests finds the record of the first.
LOCK_ERASURES = "SELECT pg_advisory_xact_lock(hashtextextended('bossjy.erasures ' || $1, 0))"

# The statement reads the whole table, so it gets more time than usual.
ALLOW_TIME = "SELECT set_config('statement_timeout', $1, true)"

FIND_REQUEST = """
SELECT erasure_id, request_mac, erased_count, missing_count, create_time FROM bossjy.erasures
WHERE tenant_id = $1 AND request_id = $2"""

# Contacts that have one of the numbers as an additional one. A number is followed by `;ext=` if it has an extension.
_HOLDERS = """
    SELECT c.e164
    FROM bossjy.contacts c CROSS JOIN unnest(c.other_numbers) AS n
        JOIN unnest($2::text[]) AS wanted ON wanted = split_part(n, ';', 1)
    WHERE c.tenant_id = $1"""

# In the order in which imports lock contacts. Waits for blocks that are changing them, so that the next statements find
# the former values that these blocks keep.
LOCK_CONTACTS = f"""
SELECT count(*) FROM (
    SELECT FROM bossjy.contacts
    WHERE tenant_id = $1 AND e164 IN (SELECT unnest($2::text[]) UNION {_HOLDERS})
    ORDER BY e164 FOR UPDATE) locked"""

DELETE_CONTACTS = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

# As an additional number of other contacts.
STRIP_CONTACTS = f"""
UPDATE bossjy.contacts
SET other_numbers = ARRAY(SELECT n FROM unnest(other_numbers) WITH ORDINALITY AS u (n, i)
                          WHERE split_part(n, ';', 1) <> ALL ($2::text[]) ORDER BY i),
    update_time = now()
WHERE tenant_id = $1 AND e164 IN ({_HOLDERS})"""

DELETE_FORMER = "DELETE FROM bossjy.import_changes WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"


def _strip_layers(column: str) -> str:
    return f"""
UPDATE bossjy.import_changes
SET {column} = jsonb_set({column}, '{{other_numbers}}', (
    SELECT coalesce(jsonb_agg(n ORDER BY i), '[]')
    FROM jsonb_array_elements_text({column} -> 'other_numbers') WITH ORDINALITY AS u (n, i)
    WHERE split_part(n, ';', 1) <> ALL ($2::text[])))
WHERE tenant_id = $1 AND (import_id, e164) IN (
    SELECT m.import_id, m.e164
    FROM bossjy.import_changes m CROSS JOIN jsonb_array_elements_text(m.{column} -> 'other_numbers') AS n
        JOIN unnest($2::text[]) AS wanted ON wanted = split_part(n, ';', 1)
    WHERE m.tenant_id = $1)"""


# As an additional number of other contacts: in their former values, and in rows that imports merged into them.
STRIP_FORMER, STRIP_FIELDS = _strip_layers("former"), _strip_layers("fields")

DELETE_CONFLICTS = "DELETE FROM bossjy.revert_conflicts WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

# All rejected rows of the tenant. This process compares their digits: a statement has no cheap look-up in a set.
READ_REJECTS = """
SELECT import_id, part, byte_offset, row_text, original, suggestion FROM bossjy.import_rejects WHERE tenant_id = $1"""

# The row stays, with its line and its reason, but without its text: so the counts of the import still agree with the
# list.
BLANK_REJECTS = """
UPDATE bossjy.import_rejects SET original = '', suggestion = '', row_text = ''
WHERE tenant_id = $1 AND (import_id, part, byte_offset) IN (
    SELECT * FROM unnest($2::text[], $3::integer[], $4::bigint[]))"""

# The same for duplicate rows, whose values are kept in columns.
READ_DUPLICATES = """
SELECT import_id, part, byte_offset, e164, row_text, name, email, array_to_string(other_numbers, ',') AS other_numbers,
    attributes::text AS attributes
FROM bossjy.import_duplicates WHERE tenant_id = $1"""

BLANK_DUPLICATES = """
UPDATE bossjy.import_duplicates
SET e164 = '', extension = '', name = '', email = '', other_numbers = '{}', attributes = '{}', row_text = ''
WHERE tenant_id = $1 AND (import_id, part, byte_offset) IN (
    SELECT * FROM unnest($2::text[], $3::integer[], $4::bigint[]))"""

INSERT_ERASURE = """
INSERT INTO bossjy.erasures (tenant_id, erasure_id, request_id, request_mac, purpose, erased_by, call_id, number_macs,
    erased_count, missing_count)
VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9, $10)
RETURNING create_time"""


@dataclass(frozen=True, slots=True)
class Record:
    """The lasting record of an erasure. The MACs are keyed: they reveal nothing without the service's secret."""

    erasure_id: str
    request_id: str
    request_mac: bytes
    purpose: str
    erased_by: str
    call_id: str
    number_macs: Sequence[bytes]
    erased_count: int
    missing_count: int


@dataclass(frozen=True, slots=True)
class Made:
    """A record as it was written."""

    erasure_id: str
    request_mac: bytes
    erased_count: int
    missing_count: int
    time: datetime


async def begin_erasure(connection: Connection, tenant_id: str, timeout_s: float) -> None:
    """Wait for the tenant's other erasures, and allow the statements of this one `timeout_s` each."""
    await connection.execute(LOCK_ERASURES, tenant_id)
    await connection.fetchval(ALLOW_TIME, str(int(timeout_s * 1000)))


async def find_request(connection: Connection, tenant_id: str, request_id: str) -> Made | None:
    """The record that this request made before."""
    row = await connection.fetchrow(FIND_REQUEST, tenant_id, request_id)
    if row is None:
        return None
    return Made(row["erasure_id"], row["request_mac"], row["erased_count"], row["missing_count"], row["create_time"])


async def erase_numbers(connection: Connection, tenant_id: str, numbers: list[str]) -> int:
    """Remove E.164 numbers from all places except rejected rows. Returns the number of deleted contacts."""
    await connection.fetchval(LOCK_CONTACTS, tenant_id, numbers)
    tag = await connection.execute(DELETE_CONTACTS, tenant_id, numbers)
    for statement in (STRIP_CONTACTS, DELETE_FORMER, STRIP_FORMER, STRIP_FIELDS, DELETE_CONFLICTS):
        await connection.execute(statement, tenant_id, numbers)
    return int(tag.rpartition(" ")[2])


async def blank_rejects(connection: Connection, tenant_id: str, holds: Callable[[str], bool]) -> None:
    """Remove the text of rejected rows for whose text `holds` is true."""
    await _blank_rows(connection, tenant_id, holds, READ_REJECTS, BLANK_REJECTS)


async def blank_duplicates(connection: Connection, tenant_id: str, holds: Callable[[str], bool]) -> None:
    """Remove number, values and text of duplicate rows if `holds` is true for one of their texts."""
    await _blank_rows(connection, tenant_id, holds, READ_DUPLICATES, BLANK_DUPLICATES)


async def _blank_rows(
    connection: Connection, tenant_id: str, holds: Callable[[str], bool], read: str, blank: str
) -> None:
    """Run `blank` for the rows of `read` with a text, from their fourth column on, for which `holds` is true."""
    found: list[tuple[str, int, int]] = []
    async for row in connection.cursor(read, tenant_id, prefetch=_REJECTS_AT_ONCE):
        import_id, part, byte_offset, *texts = row
        if not any(map(holds, texts)):
            continue
        found.append((import_id, part, byte_offset))
        if len(found) == _BLANKED_AT_ONCE:
            await connection.execute(blank, tenant_id, *map(list, zip(*found, strict=True)))
            found.clear()
    if found:
        await connection.execute(blank, tenant_id, *map(list, zip(*found, strict=True)))


async def insert_record(connection: Connection, tenant_id: str, record: Record) -> datetime:
    """Write the record. Returns its time."""
    time: datetime = await connection.fetchval(
        INSERT_ERASURE,
        tenant_id,
        record.erasure_id,
        record.request_id,
        record.request_mac,
        record.purpose,
        record.erased_by,
        record.call_id,
        list(record.number_macs),
        record.erased_count,
        record.missing_count,
    )
    return time
