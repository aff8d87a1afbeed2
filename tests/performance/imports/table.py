"""The content of the database in the form of the model, and the differences of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import orjson

from bossjy.imports.v1 import import_pb2
from tests.performance.imports.model import Contact, FileRow, Outcome, Reject, json_text, outcome

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_COUNTS = ("rows_in", "inserted", "updated", "unchanged", "duplicate", "rejected")
_CONTACTS = """
SELECT e164, region, number_type, name, email, attributes, created_import_id, changed_import_id, changed_position,
    extension
FROM bossjy.contacts WHERE tenant_id = $1"""
_REJECTS = """
SELECT part, byte_offset, line, column_name, reason, original, row_text FROM bossjy.import_rejects
WHERE tenant_id = $1 AND import_id = $2"""
_DUPLICATES = """
SELECT part, byte_offset FROM bossjy.import_duplicates WHERE tenant_id = $1 AND import_id = $2"""
_PARTS = """
SELECT part, committed_offset, finished, rows_in, inserted, updated, unchanged, duplicate, rejected
FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = $2 ORDER BY part"""


@dataclass(frozen=True, slots=True)
class Found:
    """The database at one moment: everything that one import may change."""

    contacts: dict[str, Contact]
    rejects: list[Reject]
    duplicates: list[tuple[int, int]]
    offsets: list[int]
    finished: bool
    counts: import_pb2.ImportCounts


async def contacts_of(connection: Connection, tenant_id: str) -> dict[str, Contact]:
    """All contacts of a tenant by number."""
    return {
        row["e164"]: Contact(
            region=row["region"],
            number_type=row["number_type"],
            name=row["name"],
            email=row["email"],
            attributes=json_text(orjson.loads(row["attributes"])),
            created_import_id=row["created_import_id"],
            import_id=row["changed_import_id"],
            position=row["changed_position"],
            extension=row["extension"],
        )
        for row in await connection.fetch(_CONTACTS, tenant_id)
    }


async def find(connection: Connection, tenant_id: str, import_id: str) -> Found:
    """Read all in one snapshot. The connection's user bypasses row-level security."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        contacts = await contacts_of(connection, tenant_id)
        rejects = [Reject(*row) for row in await connection.fetch(_REJECTS, tenant_id, import_id)]
        duplicates = [(row[0], row[1]) for row in await connection.fetch(_DUPLICATES, tenant_id, import_id)]
        parts = await connection.fetch(_PARTS, tenant_id, import_id)
    counts = import_pb2.ImportCounts(**{name: sum(part[name] for part in parts) for name in _COUNTS})
    return Found(
        contacts,
        rejects,
        duplicates,
        [part["committed_offset"] for part in parts],
        bool(parts) and all(part["finished"] for part in parts),
        counts,
    )


@dataclass(slots=True)
class Differences:
    """The number of lost, duplicated and otherwise wrong rows; and a description for people."""

    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def add(self, other: Differences) -> None:
        """Add those of another comparison."""
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong
        self.lines += other.lines


def compare(
    found: Found, before: Mapping[str, Contact], rows: Sequence[FileRow], spec: import_pb2.ImportSpec
) -> Differences:
    """The differences between the database and the expected result of the rows below its committed offsets."""
    committed = [row for row in rows if row.offset < found.offsets[row.part]]
    wanted = outcome(before, committed, spec)
    differences = _compare_contacts(found.contacts, wanted.contacts)
    differences.add(_compare_rejects(found.rejects, wanted))
    differences.add(_compare_duplicates(found.duplicates, wanted))
    for name in _COUNTS:
        got, expected = getattr(found.counts, name), getattr(wanted.counts, name)
        if got != expected:
            differences.add(Differences(wrong=abs(got - expected), lines=(f"{name} is {got}, expected {expected}",)))
    if found.counts.rows_in != sum(getattr(found.counts, name) for name in _COUNTS[1:]):
        differences.add(Differences(wrong=1, lines=("the counts do not add up",)))
    return differences


def _compare_contacts(found: Mapping[str, Contact], wanted: Mapping[str, Contact]) -> Differences:
    lost, more = len(wanted.keys() - found.keys()), len(found.keys() - wanted.keys())
    differ = [(found[e164], wanted[e164]) for e164 in wanted.keys() & found.keys() if found[e164] != wanted[e164]]
    lines = [f"{lost} contacts are missing"] if lost else []
    lines += [f"{more} contacts are there that should not be"] if more else []
    lines += [f"{len(differ)} contacts differ, such as {differ[0][0]} in place of {differ[0][1]}"] if differ else []
    return Differences(lost, 0, more + len(differ), tuple(lines))


def _compare_rejects(found: Sequence[Reject], wanted: Outcome) -> Differences:
    places = [(one.part, one.byte_offset) for one in found]
    doubled = len(places) - len(set(places))
    lost = len(wanted.rejects.keys() - set(places))
    wrong = [one for one in found if wanted.rejects.get((one.part, one.byte_offset)) != one]
    lines = [f"{doubled} refused rows stand twice"] if doubled else []
    lines += [f"{lost} refused rows are missing"] if lost else []
    lines += [f"{len(wrong)} refused rows are wrong, such as {wrong[0]}"] if wrong else []
    return Differences(lost, doubled, len(wrong), tuple(lines))


def _compare_duplicates(found: Sequence[tuple[int, int]], wanted: Outcome) -> Differences:
    places = set(found)
    doubled, lost, more = len(found) - len(places), len(wanted.duplicates - places), places - wanted.duplicates
    lines = [f"{doubled} duplicate rows are listed twice"] if doubled else []
    lines += [f"{lost} duplicate rows are missing"] if lost else []
    lines += [f"{len(more)} rows are listed as duplicates that are none"] if more else []
    return Differences(lost, doubled, len(more), tuple(lines))
