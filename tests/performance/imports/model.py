"""Model of the expected database, computed independently: Python's csv module, libphonenumber, dictionaries.

It uses none of the service's reading, numbering and merging, so that the two can be compared. The result of an import
depends on the contacts before it and on the committed rows, but not on their order. So the same function gives the
expected content at the end, and at any moment before it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import phonenumbers

from bossjy.imports.v1 import import_pb2
from bossjy_server.demo.expected import NULL_WORDS, number_of

COLUMNS = ("姓名", "手机号", "邮箱", "城市", "备注")
POSITION_BITS = 48
_NAME, _PHONE, _EMAIL = 0, 1, 2
_GUARD = re.compile(r"^'([=+\-@])")
_SHAPE = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]+")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the table. `import_id` and `position`: the row that last changed it."""

    region: str
    number_type: int
    name: str
    email: str
    attributes: str  # JSON, keys in order
    created_import_id: str
    import_id: str
    position: int
    extension: str = ""

    def says_the_same(self, other: Contact) -> bool:
        """True if the personal fields are equal."""
        return replace(other, created_import_id="", import_id="", position=0) == replace(
            self, created_import_id="", import_id="", position=0
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """A reject as it is listed, without the suggestion."""

    part: int
    byte_offset: int
    line: int
    column: str
    reason: int
    original: str
    row_text: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a part: its offset and its content. A reject has only `reject`."""

    part: int
    offset: int
    e164: str = ""
    contact: Contact | None = None
    reject: Reject | None = None


@dataclass(slots=True)
class Outcome:
    """The expected state: contacts by number, rejects and duplicate rows by position, counts."""

    contacts: dict[str, Contact]
    rejects: dict[tuple[int, int], Reject] = field(default_factory=dict)
    # Part and offset of each row that lost.
    duplicates: set[tuple[int, int]] = field(default_factory=set)
    counts: import_pb2.ImportCounts = field(default_factory=import_pb2.ImportCounts)


def cut_rows(data: bytes) -> list[bytes]:
    """The rows of a CSV file, line ends included; the first is the header."""
    lines = io.StringIO(data.decode(), newline="").readlines()
    reader = csv.reader(iter(lines))
    rows, begin = [], 0
    for _ in reader:
        rows.append("".join(lines[begin : reader.line_num]).encode())
        begin = reader.line_num
    return rows


def read_part(rows: Sequence[bytes], part: int, import_id: str) -> Iterator[FileRow]:
    """The content of the rows of a part. Part 0 begins with the header."""
    offset, line = 0, 1
    for index, raw in enumerate(rows):
        if not (part == 0 and index == 0):
            yield _read_row(raw, part, offset, line, import_id)
        offset += len(raw)
        line += raw.count(b"\n")


def _read_row(raw: bytes, part: int, offset: int, line: int, import_id: str) -> FileRow:
    text = raw.decode()
    cells = [_GUARD.sub(r"\1", cell.strip()) for cell in next(csv.reader(io.StringIO(text, newline="")))]

    def refused(reason: str, column: str, original: str) -> FileRow:
        value = import_pb2.RejectReason.Value(f"REJECT_REASON_{reason}")
        return FileRow(
            part, offset, reject=Reject(part, offset, line, column, value, original, text.removesuffix("\r\n"))
        )

    if any(cells[len(COLUMNS) :]):
        return refused("WRONG_CELL_COUNT", "", "")
    cells = [*cells[: len(COLUMNS)], *[""] * (len(COLUMNS) - len(cells))]
    phone, cells = cells[_PHONE], ["" if cell in NULL_WORDS else cell for cell in cells]
    number = number_of(phone)
    if isinstance(number, str):
        return refused(number, COLUMNS[_PHONE], phone)
    shaped = _SHAPE.fullmatch(cells[_EMAIL]) is not None
    aside = dict(zip(COLUMNS[3:], cells[3:], strict=True)) | ({} if shaped else {COLUMNS[_EMAIL]: cells[_EMAIL]})
    contact = Contact(
        region=phonenumbers.region_code_for_number(number) or "",
        number_type=phonenumbers.number_type(number),
        name=cells[_NAME],
        email=cells[_EMAIL] if shaped else "",
        attributes=json_text({key: value for key, value in aside.items() if value}),
        created_import_id=import_id,
        import_id=import_id,
        position=(part << POSITION_BITS) | offset,
        extension=number.extension or "",
    )
    return FileRow(part, offset, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), contact)


def json_text(values: Mapping[str, str]) -> str:
    """Equal objects give equal text."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def outcome(before: Mapping[str, Contact], rows: Collection[FileRow], spec: import_pb2.ImportSpec) -> Outcome:
    """The expected result of importing these rows into the contacts `before`. The order of the rows has no effect."""
    found = Outcome(dict(before))
    last_wins = spec.duplicate_policy == import_pb2.DUPLICATE_POLICY_LAST_WINS
    winners: dict[str, Contact] = {}
    for row in rows:
        found.counts.rows_in += 1
        if row.reject is not None:
            found.counts.rejected += 1
            found.rejects[row.part, row.offset] = row.reject
        elif row.contact is not None:
            other = winners.get(row.e164)
            found.counts.duplicate += other is not None
            if other is None or (row.contact.position > other.position) == last_wins:
                winners[row.e164] = row.contact
    for row in rows:
        if row.contact is not None and winners[row.e164] is not row.contact:
            found.duplicates.add((row.part, row.offset))
    for e164, winner in winners.items():
        former = before.get(e164)
        if former is None:
            found.contacts[e164] = winner
            found.counts.inserted += 1
            continue
        merged = _merged(former, winner, spec.existing_policy)
        if merged.says_the_same(former):
            found.counts.unchanged += 1
        else:
            found.contacts[e164] = merged
            found.counts.updated += 1
    return found


def _merged(former: Contact, row: Contact, policy: int) -> Contact:
    if policy == import_pb2.EXISTING_POLICY_SKIP:
        return former
    old, new = json.loads(former.attributes), json.loads(row.attributes)
    if policy == import_pb2.EXISTING_POLICY_FILL_EMPTY:
        return replace(
            former,
            name=former.name or row.name,
            email=former.email or row.email,
            extension=former.extension or row.extension,
            attributes=json_text(new | old),
            import_id=row.import_id,
            position=row.position,
        )
    return replace(
        row,
        name=row.name or former.name,
        email=row.email or former.email,
        extension=row.extension or former.extension,
        attributes=json_text(old | new),
        created_import_id=former.created_import_id,
    )
