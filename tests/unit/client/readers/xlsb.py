"""Writer of binary workbooks (XLSB) as Excel writes them: [MS-XLSB], as far as tables of contacts need it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from xml.sax.saxutils import quoteattr

_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"""
_RELATIONS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"""
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
# The second style shows a number as a date.
_GENERAL, _DATE = 0, 1
# The last bits of an RK number: an integer.
_RK_INTEGER = 2
Cell = str | int | float | bool | None


def record(kind: int, contents: bytes = b"") -> bytes:
    """One record: kind and size in seven bits a byte, and the contents."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, rest = b"", len(contents)
    while rest >= 128:
        size, rest = size + bytes([rest & 0x7F | 0x80]), rest >> 7
    return head + size + bytes([rest]) + contents


def wide(text: str) -> bytes:
    """A text with the number of its UTF-16 units."""
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data) // 2) + data


def write(
    path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]], *, hidden: Sequence[int] = (), dates: Sequence[int] = ()
) -> None:
    """Write a workbook. Rows `hidden` (from 0) of each sheet are hidden; numbers in the columns `dates` are dates."""
    texts = dict.fromkeys(cell for rows in sheets.values() for cell in chain(*rows) if isinstance(cell, str))
    places = {text: place for place, text in enumerate(texts)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.bin")]))
        listed = b"".join(
            record(156, struct.pack("<II", 0, number) + wide(f"rId{number}") + wide(name))
            for number, name in enumerate(sheets, 1)
        )
        properties = record(153, struct.pack("<III", 0, 0, 0))
        book = record(131) + properties + record(143) + listed + record(144) + record(132)
        archive.writestr("xl/workbook.bin", book)
        parts = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.bin") for n in range(1, len(sheets) + 1)]
        parts += [("rId98", "styles", "styles.bin"), ("rId99", "sharedStrings", "sharedStrings.bin")]
        archive.writestr("xl/_rels/workbook.bin.rels", _relations(parts))
        for number, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _sheet(rows, places, hidden, dates))
        items = b"".join(record(19, b"\0" + wide(text)) for text in texts)
        archive.writestr(
            "xl/sharedStrings.bin", record(159, struct.pack("<II", len(texts), len(texts))) + items + record(160)
        )
        formats = b"".join(record(47, struct.pack("<8H", 0, kind, 0, 0, 0, 0, 0, 0)) for kind in (0, 14))
        styles = record(278) + record(617, struct.pack("<I", 2)) + formats + record(618) + record(279)
        archive.writestr("xl/styles.bin", styles)


def _sheet(
    rows: Sequence[Sequence[Cell]], places: Mapping[str, int], hidden: Sequence[int], dates: Sequence[int]
) -> bytes:
    width = max(map(len, rows))
    data = record(129) + record(148, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1)) + record(145)
    for number, row in enumerate(rows):
        # Row, style, height; two bytes of flags: the row is hidden; one range of columns.
        flags = bytes([0, 0x10 if number in hidden else 0, 0])
        data += record(0, struct.pack("<IIH", number, 0, 300) + flags + struct.pack("<III", 1, 0, len(row) - 1))
        for column, cell in enumerate(row):
            style = _DATE if column in dates and isinstance(cell, int | float) else _GENERAL
            data += _cell(struct.pack("<II", column, style), cell, places)
    return data + record(146) + record(130)


def _cell(head: bytes, cell: Cell, places: Mapping[str, int]) -> bytes:
    match cell:
        case None:
            return record(1, head)
        case bool():
            return record(4, head + bytes([cell]))
        case str():
            return record(7, head + struct.pack("<I", places[cell]))
        case int() if abs(cell) < 1 << 29:
            return record(2, head + struct.pack("<i", cell << 2 | _RK_INTEGER))
        case _:
            return record(5, head + struct.pack("<d", cell))


def _relations(targets: Sequence[tuple[str, str, str]]) -> str:
    return _RELATIONS.format(
        "".join(
            f"<Relationship Id={quoteattr(identity)} Type={quoteattr(_KINDS + kind)} Target={quoteattr(target)}/>"
            for identity, kind, target in targets
        )
    )
