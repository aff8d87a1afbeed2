"""Every place where a number can stand, searched and cleared. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# One erasure of a tenant at a time: so the second of two equal requests finds the record of the first.
LOCK_ERASURES = "SELECT pg_advisory_xact_lock(hashtextextended('bossjy.erasures ' || $1, 0))"

# The table is read as a whole: more time than a statement usually has.
ALLOW_TIME = "SELECT set_config('statement_timeout', $1, true)"

FIND_REQUEST = """
SELECT erasure_id, request_mac, erased_count, missing_count, create_time FROM bossjy.erasures
WHERE tenant_id = $1 AND request_id = $2"""

# In the order in which imports take contacts. Waits for blocks that are changing them, so that what those keep of the
# former values is there for the statements behind.
LOCK_CONTACTS = """
SELECT count(*) FROM (
    SELECT FROM bossjy.contacts
    WHERE tenant_id = $1 AND (e164 = ANY ($2::text[]) OR other_numbers && $2::text[])
    ORDER BY e164 FOR UPDATE) locked"""

DELETE_CONTACTS = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

# As a further number of other contacts.
STRIP_CONTACTS = """
UPDATE bossjy.contacts
SET other_numbers = ARRAY(SELECT n FROM unnest(other_numbers) WITH ORDINALITY AS u (n, i)
                          WHERE n <> ALL ($2::text[]) ORDER BY i),
    update_time = now()
WHERE tenant_id = $1 AND other_numbers && $2::text[]"""

DELETE_FORMER = "DELETE FROM bossjy.import_changes WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

# As a former further number of other contacts.
STRIP_FORMER = """
UPDATE bossjy.import_changes
SET former = jsonb_set(former, '{other_numbers}', (
    SELECT coalesce(jsonb_agg(n ORDER BY i), '[]')
    FROM jsonb_array_elements_text(former -> 'other_numbers') WITH ORDINALITY AS u (n, i)
    WHERE n <> ALL ($2::text[])))
WHERE tenant_id = $1 AND former -> 'other_numbers' ?| $2::text[]"""

DELETE_CONFLICTS = "DELETE FROM bossjy.revert_conflicts WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

# Refused rows that hold one of the numbers in whatever writing: $2 are digits as they stand in a number that is written
# nationally or internationally, $3 their lengths. A row is compared by its runs of digits, with what people write
# between digits taken out. The row stays, with its line and its reason, and without its text: the counts of the import
# go on to agree with the list.
BLANK_REJECTS = """
UPDATE bossjy.import_rejects r SET original = '', suggestion = '', row_text = ''
WHERE tenant_id = $1 AND EXISTS (
    SELECT FROM regexp_matches(
            regexp_replace(normalize(row_text || ',' || original || ',' || suggestion, NFKC),
                           '[-+./() \u2010-\u2015\u2212]+', '', 'g'),
            '[0-9]{7,}', 'g') AS run,
        unnest($3::integer[]) AS size,
        generate_series(1, length(run[1]) - size + 1) AS start
    WHERE substr(run[1], start, size) = ANY ($2::text[]))"""

INSERT_ERASURE = """
INSERT INTO bossjy.erasures (tenant_id, erasure_id, request_id, request_mac, purpose, erased_by, call_id, number_macs,
    erased_count, missing_count)
VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9, $10)
RETURNING create_time"""


@dataclass(frozen=True, slots=True)
class Record:
    """What stays of an erasure. The MACs are keyed: without the service's secret they tell nothing."""

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


async def erase_numbers(connection: Connection, tenant_id: str, numbers: list[str], digits: list[str]) -> int:
    """Take E.164 numbers out of every place; how many contacts went. `digits`: see BLANK_REJECTS."""
    await connection.fetchval(LOCK_CONTACTS, tenant_id, numbers)
    tag = await connection.execute(DELETE_CONTACTS, tenant_id, numbers)
    for statement in (STRIP_CONTACTS, DELETE_FORMER, STRIP_FORMER, DELETE_CONFLICTS):
        await connection.execute(statement, tenant_id, numbers)
    sizes = sorted({len(one) for one in digits})
    await connection.execute(BLANK_REJECTS, tenant_id, digits, sizes)
    return int(tag.rpartition(" ")[2])


async def insert_record(connection: Connection, tenant_id: str, record: Record) -> datetime:
    """Write the record; its time."""
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
