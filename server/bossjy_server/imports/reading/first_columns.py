"""First columns and rows of delimited text, with the header, and the start of the data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading import detect, header_row
from bossjy_server.imports.reading.header_row import FirstRow
from bossjy_server.imports.reading.layout import Layout
from bossjy_server.imports.reading.mapping import column_names
from bossjy_server.imports.reading.scan import Incomplete, ScannedRow, scan_row
from bossjy_server.imports.records import Header, SourceFormat, Spec

_EMPTY_LINES = re.compile(rb"[\r\n]*")
# Rows that are shown to people.
SHEET_ROWS = 20
SheetLine: TypeAlias = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns and the first rows of cells, without the header."""

    names: tuple[str, ...]
    header: Header
    rows: list[list[str]]
    text_offset: int
    line: int
    # Line and cells of the first rows, including the header; the line of the header, 0 for none.
    sheet: list[SheetLine]
    header_row: int = 0


def lines_above(source: SourceFormat) -> int:
    """The number of skipped lines above the header or the first row."""
    return max(source.skip_rows, source.header_row - 1)


def text_start(text: bytes, spec: Spec, options: ImportOptions, *, final: bool) -> tuple[int, int] | None:
    """The position where rows can begin, after `sep=;` and the skipped lines, and its line. None: not received yet."""
    source, mark = spec.source, header_row.separator_line(text)[1]
    count = max(lines_above(source), 1 if mark else 0)
    start = header_row.after_lines(text, count, final=final)
    if start < 0 and len(text) <= 4 * options.max_row_bytes:
        return None
    lacking = start < 0 or text[start : start + 1] in {b"", b"\r", b"\n"}
    if source.header_row and lacking and (final or 0 <= start < len(text) or start < 0):
        raise header_row_invalid(source.header_row, "this line is empty or after the end of the file")
    return max(start, 0), count + 1


def whole_sample(text: bytes, start: int, *, final: bool) -> bytes:
    """Whole lines of the sample from `start` on."""
    sample = text[start : start + detect.SAMPLE_BYTES]
    if final and start + len(sample) == len(text):
        return sample
    return sample[: max(sample.rfind(b"\n"), sample.rfind(b"\r")) + 1]


def read_header(
    text: bytes,
    start: tuple[int, int],
    spec: Spec,
    layout: Layout,
    *,
    mark: int,
    codec: str,
    final: bool,
    options: ImportOptions,
) -> Columns | None:
    """Names from the header row, or `column_N`."""
    first = _first_row(text, layout, *start, final=final)
    if first is None:
        if len(text) > 4 * options.max_row_bytes:
            raise _unreadable(options)
        return None
    row, line = first
    columns = spec.source.columns
    if row.fault is not None and not columns:
        raise _unreadable(options)
    # One more than allowed shows that there are too many.
    cells_max = options.max_columns + 1
    rows = header_row.first_rows(text, row.start, line, layout, cells_max, final=final) or [
        header_row.first_row(row, line, cells_max)
    ]
    sheet = [(one.line, one.cells) for one in rows[:SHEET_ROWS]]
    position = _position(spec, rows)
    if position < 0 and not final and len(text) < detect.SAMPLE_BYTES and header_row.may_follow(rows):
        return None
    below = [one.cells for one in rows[position + 1 :]][: header_row.SAMPLE_ROWS]
    if position < 0:
        # The line `sep=;` and skipped lines are no rows.
        before = mark + _encoded(text[: start[0]], codec)
        width = max(len(one.cells) for one in rows) if spec.source.skip_rows else len(rows[0].cells)
        return Columns(columns or column_names([""] * width), Header.ABSENT, below, before, start[1], sheet)
    header = rows[position]
    lines = header.line + 1 + header_row.extra_lines(text[header.row.start : header.row.next])
    behind = mark + _encoded(text[: header.row.next], codec)
    return Columns(columns or column_names(header.cells), Header.PRESENT, below, behind, lines, sheet, header.line)


def _position(spec: Spec, rows: list[FirstRow]) -> int:
    """The index of the header in the first rows; -1 for none."""
    asked = spec.source.header
    if asked is Header.ABSENT:
        return -1
    if spec.source.header_row or (asked is Header.PRESENT and spec.source.columns):
        return 0
    found = header_row.header_position(rows, [one.column for one in spec.mapping])
    return max(found, 0) if asked is Header.PRESENT else found


def _encoded(text: bytes, codec: str) -> int:
    """The length of this text, here UTF-8, in bytes of the file."""
    return len(text) if codec == "utf-8" else len(text.decode("utf-8", "replace").encode(codec, "replace"))


def _first_row(text: bytes, layout: Layout, start: int, line: int, *, final: bool) -> tuple[ScannedRow, int] | None:
    """The first row from `start` that is not an empty line, and its line; an empty row for an empty file."""
    start, line = _after_empty_lines(text, start, line)
    while True:
        try:
            row = scan_row(text, start, layout, final=final)
        except Incomplete:
            return None
        if row.end > row.start or row.next >= len(text):
            # An empty last line of the available text proves nothing, except at the end of the file.
            return (row, line) if final or row.end > row.start else None
        start, line = row.next, line + 1


def _after_empty_lines(text: bytes, start: int, line: int) -> tuple[int, int]:
    """The position after the empty lines from `start` on. Callers that know the text's end check its last ones."""
    end = _EMPTY_LINES.match(text, start).end()  # type: ignore[union-attr]  # matches every text
    if end == len(text):
        end = max(start, end - 2)
        end -= text[end - 1 : end + 1] == b"\r\n"
    passed = text[start:end]
    return max(start, end), line + passed.count(b"\n") + passed.count(b"\r") - passed.count(b"\r\n")


def header_row_invalid(line: int, why: str) -> InvalidArgument:
    """The error if the header cannot be at the requested line."""
    return InvalidArgument(
        Reason.HEADER_ROW_INVALID,
        f"line {line} cannot be the header: {why}. Give the line of the row that names the columns (`--header-row N`, "
        "`source.header_row`); PreviewImport shows the first lines",
        metadata={"header_row": str(line)},
    )


def _unreadable(options: ImportOptions) -> InvalidArgument:
    return InvalidArgument(
        Reason.ROW_TOO_WIDE,
        "the first row cannot be read: check the delimiter, the quotes and the line ends",
        metadata={"limit_bytes": str(options.max_row_bytes)},
    )
