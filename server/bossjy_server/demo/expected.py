"""Independent model of the demonstration's import: Python's csv module, libphonenumber, a loop.

It uses nothing of the service's own numbering or importing, so that the two can be compared.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client

PHONE_COLUMN = "手机号"
REGION = "CN"

_ROUNDED = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}")
_DECIMAL = re.compile(r"(\+?[0-9]{5,})\.0+")
# Separators of several numbers in one cell.
_SEVERAL = re.compile(r"[/,;|&、；，\n]|或|:::")
_NOT_PARSED: Mapping[int, str] = {
    NumberParseException.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    NumberParseException.NOT_A_NUMBER: "NOT_A_NUMBER",
    NumberParseException.TOO_SHORT_AFTER_IDD: "TOO_SHORT",
    NumberParseException.TOO_SHORT_NSN: "TOO_SHORT",
    NumberParseException.TOO_LONG: "TOO_LONG",
}
_NOT_VALID: Mapping[int, str] = {
    ValidationResult.IS_POSSIBLE: "NOT_IN_PLAN",
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "LOCAL_ONLY",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
}
# Cells of the demonstration that count as empty.
NULL_WORDS = frozenset({"n/a", "N/A", "#N/A", "NULL", "null", "None", "nan", "-"})


@dataclass(frozen=True, slots=True)
class Imported:
    """The service's result of an import: reasons of its rejects, and the imported contacts."""

    reasons: Counter[str]
    brought: frozenset[str]
    present: frozenset[str]


@dataclass(slots=True)
class Expected:
    """The expected result in a tenant that had no contacts."""

    counts: import_pb2.ImportCounts = field(default_factory=import_pb2.ImportCounts)
    reasons: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    numbers: set[str] = field(default_factory=set)

    def differences(self, job: import_pb2.Import, found: Imported) -> list[str]:
        """Each difference as a line for people, without anybody's number; an empty list if all is right."""
        lines = []
        if job.state != import_pb2.IMPORT_STATE_SUCCEEDED:
            lines.append(f"the import is {import_pb2.ImportState.Name(job.state)}")
        for name in ("rows_in", "inserted", "updated", "unchanged", "duplicate", "rejected"):
            got, wanted = getattr(job.counts, name), getattr(self.counts, name)
            if got != wanted:
                lines.append(f"{name} is {got}, expected {wanted}")
        lines += [
            f"{found.reasons[reason]} rows rejected for {reason}, expected {self.reasons[reason]}"
            for reason in sorted({*self.reasons, *found.reasons})
            if self.reasons[reason] != found.reasons[reason]
        ]
        missing, foreign = len(self.numbers - found.present), len(found.brought - self.numbers)
        if missing or foreign:
            lines.append(f"{missing} contacts are missing, {foreign} exist that should not")
        return lines


def expect(path: Path) -> Expected:
    """Read the file and compute its expected result. Takes about a second for 10,000 rows."""
    expected = Expected()
    counts = expected.counts
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        phone = header.index(PHONE_COLUMN)
        for row in rows:
            if not row:
                continue
            counts.rows_in += 1
            number = (
                "WRONG_CELL_COUNT" if any(row[len(header) :]) else number_of(row[phone] if phone < len(row) else "")
            )
            if isinstance(number, str):
                expected.reasons[number] += 1
                counts.rejected += 1
                continue
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if e164 in expected.numbers:
                counts.duplicate += 1
                continue
            expected.numbers.add(e164)
            expected.regions[phonenumbers.region_code_for_number(number) or "?"] += 1
            counts.inserted += 1
    return expected


def number_of(cell: str) -> phonenumbers.PhoneNumber | str:
    """The valid number of a cell, or the reason why there is none."""
    text = _repaired(cell.strip())
    if not text or text in NULL_WORDS:
        return "PHONE_EMPTY"
    try:
        number = phonenumbers.parse(text, REGION)
    except NumberParseException as error:
        reason = _NOT_PARSED[error.error_type]
    else:
        if phonenumbers.is_valid_number(number):
            return number
        reason = _NOT_VALID[phonenumbers.is_possible_number_with_reason(number)]
    if _ROUNDED.fullmatch(text):
        return "PRECISION_LOST"
    several = any(sum(map(_is_valid, parts)) > 1 for parts in (_SEVERAL.split(text), text.split()))
    return "SEVERAL_NUMBERS" if several else reason


def _is_valid(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, REGION))
    except NumberParseException:
        return False


def _repaired(text: str) -> str:
    """Repairs of a spreadsheet's changes without loss: the apostrophe before digits, the `.0` after them."""
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    text = text.lstrip("'`").strip()
    decimal = _DECIMAL.fullmatch(text)
    return decimal[1] if decimal else text


async def imported(client: Client, job: import_pb2.Import) -> Imported:
    """Read the rejects and the contacts from the service."""
    reasons: Counter[str] = Counter()
    async for row in client.imports.rejected_rows(job.import_id):
        reasons[import_pb2.RejectReason.Name(row.reason).removeprefix("REJECT_REASON_")] += 1
    present, brought = set(), set()
    async for contact in client.contacts.list(page_size=1000):
        present.add(contact.phone_number)
        if contact.created_import_id == job.import_id:
            brought.add(contact.phone_number)
    return Imported(reasons, frozenset(brought), frozenset(present))
