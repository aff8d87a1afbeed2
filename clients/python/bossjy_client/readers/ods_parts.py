"""Content of an ODS workbook: the count of its repeated cells, formulas without a value, hidden rows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

CONTENT = "content.xml"
ROW = b"<table:table-row"
_MOST_ROWS = 1 << 20
_ROW = re.compile(rb"<table:table-row\b([^>]*)>")
_REPEATED = re.compile(rb"table:number-rows-repeated=\"(\d+)\"")
_HIDDEN = re.compile(rb"table:visibility=\"(?:collapse|filter)\"")
_TABLE = re.compile(rb"<table:table\b[^>]*\btable:name=\"([^\"]*)\"")
_FORMULA = re.compile(
    rb"<table:table-cell\b(?=[^>]*\btable:formula=)(?![^>]*\boffice:(?:[\w-]*value|string-value)=)[^>]*/>"
)
_WIDE = re.compile(
    rb"<table:table-cell\b(?=[^>]*\boffice:value-type)[^>]*\btable:number-columns-repeated=\"(\d{3,9})\""
)


def repeated_cells(pieces: Iterable[bytes]) -> tuple[int, int]:
    """The approximate number of repeated cells, each written once, and the number of formulas without a value.

    `pieces` are the content, split before rows.
    """
    cells = formulas = 0
    for piece in pieces:
        wide = sum(int(found) for found in _WIDE.findall(piece))
        tall = 1
        if b"number-rows-repeated" in piece and b"office:value-type" in piece:
            repeated = [_count(row) for row in _ROW.finditer(piece) if _has_value(piece, row.end())]
            tall = max([1, *repeated])
        cells += max(wide, 1) * tall if wide or tall > 1 else 0
        formulas += sum(1 for _ in _FORMULA.finditer(piece))
    return cells, formulas


def hidden_rows(pieces: Iterable[bytes], sheet: str) -> Iterator[int]:
    """The hidden and filtered rows of a sheet, from 0."""
    table, number = "", 0
    for piece in pieces:
        marks = sorted([*_TABLE.finditer(piece), *_ROW.finditer(piece)], key=lambda found: found.start())
        for found in marks:
            if found.re is _TABLE:
                table, number = html.unescape(found[1].decode("utf-8", "replace")), 0
                continue
            count = _count(found)
            if table == sheet and _HIDDEN.search(found[1]):
                yield from range(number, min(number + count, _MOST_ROWS))
            number += count


def _count(row: re.Match[bytes]) -> int:
    """The number of rows of a row element, which can repeat."""
    repeated = _REPEATED.search(row[1])
    return int(repeated[1]) if repeated else 1


def _has_value(piece: bytes, position: int) -> bool:
    end = piece.find(b"</table:table-row>", position)
    return piece.find(b"office:value-type", position, end if end >= 0 else len(piece)) >= 0
