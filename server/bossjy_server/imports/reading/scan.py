r"""Scanner for delimited text, one row at a time: the slow path, and the reference for the fast one (split.py).

The rules (RFC 4180, and common practice): a row ends at LF, CR or CRLF. A cell that begins with a quote extends to its
closing quote. It may contain delimiters, line ends and doubled quotes; a delimiter or the row's end follows it. A quote
elsewhere is an ordinary character. An empty line is no row.

An unclosed quote must not swallow the file. A row is rejected up to the end of its first line if its quote does not
close within `max_row_bytes`, if other characters follow the quote, or if it spans lines and its number of cells differs
from the header's. Reading continues at the next line.

Cells that a row lacks at its end are empty, if the row is one line. Surplus cells are dropped if they are blank. Any
other surplus cell makes the row invalid.

If the layout has an escape byte, the next byte is a character of the cell, inside and outside of quotes. After a
backslash, `n`, `r`, `t`, `b` and `Z` are the control characters that MySQL and PostgreSQL write so. A cell `\N` stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bossjy_server.imports.reading.layout import CR, LF, Layout, RejectReason

_LINE_END = re.compile(rb"[\r\n]")
_BLANK = b" \t"


class Incomplete(Exception):
    """The row may continue after the available bytes."""


class _Refused(Exception):
    pass


@dataclass(frozen=True, slots=True)
class ScannedRow:
    """One row: cells without quotes, one for each column; all of its cells if these are too many.

    `end` is the position after its last byte, `next` the position after its line end.
    """

    start: int
    end: int
    next: int
    cells: list[bytes]
    fault: RejectReason | None = None


def scan_row(data: bytes, start: int, layout: Layout, *, final: bool) -> ScannedRow:
    """The row that begins at `start`. Raises Incomplete if it may continue after `data` (never if `final`)."""
    try:
        cells, end = _cells(data, start, layout, final=final)
    except _Refused:
        return _first_line(data, start, layout, final=final)
    behind = _behind_line_end(data, end, final=final)
    lacking = max(0, layout.column_count - len(cells))
    surplus = layout.column_count > 0 and any(cell.strip(_BLANK) for cell in cells[layout.column_count :])
    if (lacking or surplus) and _LINE_END.search(data, start, end) is not None:
        return _first_line(data, start, layout, final=final)
    if end - start > layout.max_row_bytes:
        return _first_line(data, start, layout, final=final)
    if surplus:
        return ScannedRow(start, end, behind, cells, RejectReason.WRONG_CELL_COUNT)
    if layout.escape and any(b"\0" in cell for cell in cells):
        return ScannedRow(start, end, behind, cells, RejectReason.BAD_TEXT)  # written as an escape
    if layout.column_count:
        cells = [*cells[: layout.column_count], *[b""] * lacking]
    return ScannedRow(start, end, behind, cells)


def _cells(data: bytes, start: int, layout: Layout, *, final: bool) -> tuple[list[bytes], int]:
    """Cells of the row and the position of its line end (or of the end of the bytes)."""
    cells: list[bytes] = []
    delimiter, quote = layout.delimiter[0], layout.quote[0] if layout.quote else -1
    cell_end = _cell_end(layout.delimiter, layout.escape)
    position, size = start, len(data)
    while True:
        if position < size and data[position] == quote:
            closing = _closing_quote(data, position + 1, start, layout, final=final)
            cells.append(_unescaped(data[position + 1 : closing], layout, layout.quote))
            position = closing + 1
        else:
            found = cell_end.match(data, position)
            end = size if found is None else found.end()
            if end >= size and not final:
                # A row that is too long is recognised before its end has come.
                if size - start > layout.max_row_bytes + 1:
                    raise _Refused
                raise Incomplete
            cells.append(_unescaped(data[position:end], layout) if layout.escape else data[position:end])
            position = end
        if position >= size:
            if not final:
                raise Incomplete
            return cells, size
        if data[position] == delimiter:
            position += 1
        elif data[position] in (LF, CR):
            return cells, position
        else:
            raise _Refused  # characters after a closing quote


def _closing_quote(data: bytes, position: int, start: int, layout: Layout, *, final: bool) -> int:
    quote = layout.quote
    limit = start + layout.max_row_bytes + 1
    while True:
        found = _find_quote(data, position, limit, layout)
        if found < 0:
            if final or len(data) >= limit:
                raise _Refused
            raise Incomplete
        if data[found + 1 : found + 2] != quote:
            if found + 1 == len(data) and not final:
                raise Incomplete
            return found
        position = found + 2


def _first_line(data: bytes, start: int, layout: Layout, *, final: bool) -> ScannedRow:
    """Reject the line that begins at `start`; `next` is -1 if its end has not come and the rest is to be skipped."""
    found = _LINE_END.search(data, start)
    end = len(data) if found is None else found.start()
    if end - start > layout.max_row_bytes:
        behind = _behind_line_end(data, end, final=final) if found is not None or final else -1
        return ScannedRow(start, end, behind, [], RejectReason.ROW_TOO_LONG)
    if found is None and not final:
        raise Incomplete
    return ScannedRow(start, end, _behind_line_end(data, end, final=final), [], RejectReason.BAD_QUOTE)


def _behind_line_end(data: bytes, end: int, *, final: bool) -> int:
    if end >= len(data):
        return end
    if data[end] == LF:
        return end + 1
    if end + 1 == len(data) and not final:
        raise Incomplete  # an LF may follow the CR
    return end + 2 if data[end + 1 : end + 2] == b"\n" else end + 1


def _find_quote(data: bytes, position: int, limit: int, layout: Layout) -> int:
    """The first quote that is not escaped; -1 if there is none."""
    if not layout.escape:
        return data.find(layout.quote, position, limit)
    found = _quote_end(layout.quote, layout.escape).match(data, position, limit)
    return -1 if found is None else found.end() - 1


def _unescaped(cell: bytes, layout: Layout, quote: bytes = b"") -> bytes:
    """The text of a cell; `quote`: the one around it."""
    if not layout.escape or layout.escape not in cell:
        return cell.replace(quote * 2, quote) if quote else cell
    if not quote and cell == layout.escape + b"N":
        return cell
    controls = _CONTROLS if layout.escape == b"\\" else {}

    def text(found: re.Match[bytes]) -> bytes:
        return controls.get(found[1], found[1]) if found[1] else found[0][:1]

    return _escapes(layout.escape, quote).sub(text, cell)


# The second byte of `\0`, `\b`, `\n`, `\r`, `\t` and `\Z`.
_CONTROLS = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}


@lru_cache(maxsize=64)
def _cell_end(delimiter: bytes, escape: bytes) -> re.Pattern[bytes]:
    """Matches a cell without quotes. The byte after an escape belongs to it, and CRLF after an escape."""
    plain = b"[^\r\n" + re.escape(delimiter + escape) + b"]*+"
    if not escape:
        return re.compile(plain)
    return re.compile(plain + b"(?:" + re.escape(escape) + b"(?:\r\n|[\\s\\S]|\\Z)" + plain + b")*+")


@lru_cache(maxsize=64)
def _quote_end(quote: bytes, escape: bytes) -> re.Pattern[bytes]:
    """Matches the text in quotes, and the quote that can close it."""
    plain = b"[^" + re.escape(quote + escape) + b"]*+"
    return re.compile(plain + b"(?:" + re.escape(escape) + b"[\\s\\S]" + plain + b")*+" + re.escape(quote))


@lru_cache(maxsize=64)
def _escapes(escape: bytes, quote: bytes) -> re.Pattern[bytes]:
    """Matches escaped bytes and doubled quotes."""
    doubled = b"|" + re.escape(quote * 2) if quote else b""
    return re.compile(re.escape(escape) + b"(\r\n|[\\s\\S])" + doubled)
