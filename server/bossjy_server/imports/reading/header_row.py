"""Header row: the row that names the columns, below title lines, notes and `sep=;`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bossjy_server.imports.reading.detect import SAMPLE_BYTES
from bossjy_server.imports.reading.layout import Layout
from bossjy_server.imports.reading.mapping import (
    column_names,
    field_of_name,
    find_column,
    likely_phone_column,
    looks_like_header,
)
from bossjy_server.imports.reading.scan import Incomplete, ScannedRow, scan_row
from bossjy_server.imports.records import ContactField

# Rows that are possible above the header.
_TITLE_ROWS = 20
# Rows after the header whose cells help to find the meaning of a column.
SAMPLE_ROWS = 50
_LINE_END = re.compile(rb"\r\n|\n|\r")
_SEPARATOR = re.compile(rb"\s*\"?sep=([^\r\n\w\"])\"?[,;\t|]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FirstRow:
    """A row at the start of a file that is not an empty line, with its text cells and its line."""

    row: ScannedRow
    cells: list[str]
    line: int


def first_row(row: ScannedRow, line: int, cells_max: int) -> FirstRow:
    """The row with its first `cells_max` cells as text."""
    return FirstRow(row, [cell.decode("utf-8", "replace") for cell in row.cells[:cells_max]], line)


def separator_line(text: bytes) -> tuple[str, int]:
    """The delimiter that Excel's line `sep=;` names, and the bytes of this line; '' and 0 if there is none."""
    found = _SEPARATOR.match(text)
    return (found[1].decode("ascii", "replace"), found.end()) if found else ("", 0)


def after_lines(text: bytes, count: int, *, final: bool) -> int:
    """The start of the line after the first `count` lines; -1 if `text` ends before it, len(text) if the file does."""
    position = 0
    for _ in range(count):
        found = _LINE_END.search(text, position)
        if found is None:
            return len(text) if final else -1
        if found.end() == len(text) and found.group() == b"\r" and not final:
            return -1  # an LF may follow
        position = found.end()
    return position


def first_rows(text: bytes, start: int, line: int, layout: Layout, cells_max: int, *, final: bool) -> list[FirstRow]:
    """The first complete rows from `start`, as many as are needed, each with at most `cells_max` cells."""
    rows: list[FirstRow] = []
    end = min(len(text), start + SAMPLE_BYTES)
    while start < end and len(rows) < _TITLE_ROWS + SAMPLE_ROWS:
        try:
            row = scan_row(text, start, layout, final=final)
        except Incomplete:
            break
        if row.next < 0:
            break
        if row.end > row.start and row.fault is None:
            rows.append(first_row(row, line, cells_max))
        line += 1 + extra_lines(text[row.start : row.next])
        start = row.next
    return rows


def header_position(rows: Sequence[FirstRow], named: Collection[str]) -> int:
    """The index of the header in the first rows; -1 for none. `named`: columns that the caller maps."""
    if named:
        for position, row in enumerate(rows[:_TITLE_ROWS]):
            names = column_names(row.cells)
            if all(find_column(names, one, by_number=False) for one in named):
                return position
    found = -1
    for position, row in enumerate(rows[:_TITLE_ROWS]):
        below = [one.cells for one in rows[position + 1 :]]
        if _names_phone(row.cells, below) and looks_like_header(row.cells, below):
            # A title with the word `phone` has one cell, and the rows below it have several.
            if 2 * _filled(row.cells) >= max(map(_filled, below), default=0):
                return position
            found = position if found < 0 else found
        if likely_phone_column(row.cells) >= 0:
            break
    if found >= 0:
        return found
    return 0 if rows and looks_like_header(rows[0].cells, [one.cells for one in rows[1:]]) else -1


def may_follow(rows: Sequence[FirstRow]) -> bool:
    """True if the header may be a row that has not come yet: the rows are few, and none has a number."""
    return len(rows) < _TITLE_ROWS and all(likely_phone_column(row.cells) < 0 for row in rows)


def extra_lines(row: bytes) -> int:
    """The number of lines beyond the first of a row with line ends inside quotes."""
    ends = row.count(b"\n") + row.count(b"\r") - row.count(b"\r\n")
    return max(0, ends - 1) if row.endswith((b"\n", b"\r")) else ends


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _names_phone(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    return any(
        field_of_name(cell, [row[index] for row in below if index < len(row)]) is ContactField.PHONE_NUMBER
        for index, cell in enumerate(cells)
        if cell.strip()
    )
