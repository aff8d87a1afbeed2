"""Splitter of delimited text: a block becomes columns without a Python loop over its rows. The fast path.

NumPy finds delimiters, quotes and line ends and checks that every quote opens, closes or doubles. Then the number of
quotes before a byte shows if it is inside a quoted cell. If a block breaks that rule, `scan.py` reads it row by row.
Both give the same rows. Arrow's CSV reader, which releases the GIL, then makes the columns, all of them text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from bossjy_server.imports.reading.arrow import TextColumn, text_column
from bossjy_server.imports.reading.escapes import are_inert, without_escapes
from bossjy_server.imports.reading.layout import CR, LF, Layout, Place, RejectReason, RowBlock, RowFault
from bossjy_server.imports.reading.ragged import regular_bytes, without_surplus
from bossjy_server.imports.reading.scan import Incomplete, scan_row

_Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as bytes `starts[i]:ends[i]` of the block, `nexts[i]` after the line end; empty lines are left out."""

    starts: _Positions
    ends: _Positions
    # The ends of the cells that have a column: at `ends`, or before blank cells without a column.
    cell_ends: _Positions
    # The number of these cells.
    cell_counts: _Positions
    # Positions of all line ends, including those inside quotes: lines are counted by them.
    line_ends: _Positions
    consumed: int


def split_rows(data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
    """The complete rows at the front of `data`, which begins at `place`; all of it if `final`."""
    if place.skipping:
        return _skip(data, place, layout, final=final)
    if layout.escape and layout.escape in data:
        return _split_escaped(data, place, layout, final=final)
    rows = _find_rows(data, layout, final=final)
    if rows is None:
        return split_slowly(data, place, layout, final=final)
    faults = _faults(data, rows, layout)
    columns = _columns(data, rows, faults, layout)
    if columns is None:
        return split_slowly(data, place, layout, final=final)
    good = faults == 0
    lines = place.line + np.searchsorted(rows.line_ends, rows.starts)
    return RowBlock(
        data=data,
        columns=columns,
        starts=rows.starts[good],
        ends=rows.ends[good],
        offsets=place.offset + rows.starts[good],
        lines=lines[good],
        faults=[
            RowFault(
                start=int(rows.starts[row]),
                end=int(rows.ends[row]),
                offset=place.offset + int(rows.starts[row]),
                line=int(lines[row]),
                reason=RejectReason(int(faults[row])),
            )
            for row in np.flatnonzero(faults)
        ],
        consumed=rows.consumed,
        next=Place(
            place.offset + rows.consumed,
            place.line + int(np.searchsorted(rows.line_ends, rows.consumed)),
        ),
    )


def _split_escaped(data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
    """The same for a block with escapes: those that end nothing are undone in its columns."""
    if are_inert(data, layout):
        block = split_rows(data, place, replace(layout, escape=b""), final=final)
        # A surplus cell may be blank without its escapes.
        if all(fault.reason is not RejectReason.WRONG_CELL_COUNT for fault in block.faults):
            return replace(block, columns=[without_escapes(column, layout) for column in block.columns])
    return split_slowly(data, place, layout, final=final)


def split_slowly(data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
    """The same as `split_rows`, row by row."""
    position, line, skipping = 0, place.line, False
    cells: list[list[str]] = []
    starts: list[int] = []
    ends: list[int] = []
    lines: list[int] = []
    faults: list[RowFault] = []
    while position < len(data):
        try:
            row = scan_row(data, position, layout, final=final)
        except Incomplete:
            break
        if row.end > row.start:
            text = _text(data, row.start, row.end, row.cells) if row.fault is None else None
            if text is None:
                reason = row.fault or RejectReason.BAD_TEXT
                faults.append(RowFault(row.start, row.end, place.offset + row.start, line, reason))
            else:
                cells.append(text)
                starts.append(row.start)
                ends.append(row.end)
                lines.append(line)
        if row.next < 0:
            position, skipping = len(data), True
            break
        line += _line_count(data, row.start, row.next)
        position = row.next
    return RowBlock(
        data=data,
        columns=[text_column(row[j] for row in cells) for j in range(layout.column_count)],
        starts=np.array(starts, np.int64),
        ends=np.array(ends, np.int64),
        offsets=place.offset + np.array(starts, np.int64),
        lines=np.array(lines, np.int64),
        faults=faults,
        consumed=position,
        next=Place(place.offset + position, line, skipping),
    )


def _text(data: bytes, start: int, end: int, cells: list[bytes]) -> list[str] | None:
    if data.find(b"\0", start, end) >= 0:
        return None
    try:
        return [cell.decode("utf-8") for cell in cells]
    except UnicodeDecodeError:
        return None


def _line_count(data: bytes, start: int, end: int) -> int:
    feeds, returns = data.count(b"\n", start, end), data.count(b"\r", start, end)
    return feeds + returns - data.count(b"\r\n", start, end)


def _skip(data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
    """Skip the rest of a row that was rejected as too long."""
    found = [position for position in (data.find(b"\n"), data.find(b"\r")) if position >= 0]
    end = min(found, default=len(data))
    undecided = data[end : end + 1] == b"\r" and end + 1 == len(data) and not final  # an LF may follow the CR
    skipping = (not found and not final) or undecided
    consumed = end if skipping or not found else end + (2 if data[end : end + 2] == b"\r\n" else 1)
    following = Place(place.offset + consumed, place.line + (1 if consumed > end else 0), skipping)
    return no_rows(data, layout.column_count, consumed, following)


def no_rows(data: bytes, column_count: int, consumed: int, following: Place) -> RowBlock:
    """A block without rows that uses some bytes."""
    empty = np.zeros(0, np.int64)
    return RowBlock(
        data=data,
        columns=[text_column([]) for _ in range(column_count)],
        starts=empty,
        ends=empty,
        offsets=empty,
        lines=empty,
        consumed=consumed,
        next=following,
    )


def _find_rows(data: bytes, layout: Layout, *, final: bool) -> _Rows | None:
    """The starts and ends of rows; None if the block needs the slow path."""
    view = np.frombuffer(data, np.uint8)
    line_ends = find_line_ends(view, data, final=final)
    row_ends = line_ends
    quotes = np.flatnonzero(view == layout.quote[0]) if layout.quote and layout.quote in data else None
    if quotes is not None:
        if not _quotes_are_regular(view, quotes, layout) or (final and len(quotes) % 2):
            return None
        row_ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
    if final and (len(row_ends) == 0 or row_ends[-1] != len(data) - 1) and data:
        row_ends = np.append(row_ends, len(data))  # the last row, without a line end
    consumed = min(int(row_ends[-1]) + 1, len(data)) if len(row_ends) else 0
    if len(data) - consumed > layout.max_row_bytes:
        return None  # a row that may be too long
    starts = np.concatenate(([0], row_ends[:-1] + 1)) if len(row_ends) else row_ends
    after_cr = (row_ends > starts) & (row_ends < len(data))
    after_cr[after_cr] = (view[row_ends[after_cr]] == LF) & (view[row_ends[after_cr] - 1] == CR)
    ends = row_ends - after_cr
    delimiters = np.flatnonzero(view[:consumed] == layout.delimiter[0])
    if quotes is not None:
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    cell_counts = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
    filled = ends > starts
    starts, ends, cell_counts = starts[filled], ends[filled], cell_counts[filled]
    cell_ends = without_surplus(data, starts, ends, cell_counts, delimiters, layout)
    if quotes is not None:
        # A row that spans lines and is invalid for another reason is read again from its second line.
        spans = np.searchsorted(line_ends, ends) > np.searchsorted(line_ends, starts)
        wrong = (cell_counts != layout.column_count) | (ends - starts > layout.max_row_bytes)
        if bool((spans & wrong).any()):
            return None
    return _Rows(starts, ends, cell_ends, cell_counts, line_ends, consumed)


def find_line_ends(view: NDArray[np.uint8], data: bytes, *, final: bool) -> _Positions:
    """Positions of each line end's last byte."""
    feeds = np.flatnonzero(view == LF)
    if b"\r" not in data:
        return feeds
    returns = np.flatnonzero(view == CR)
    if len(returns) and returns[-1] == len(data) - 1 and not final:
        returns = returns[:-1]  # an LF may follow
    inner = returns[returns < len(data) - 1]
    lone = inner[view[inner + 1] != LF]
    if len(inner) < len(returns):
        lone = np.append(lone, returns[-1])
    return np.sort(np.concatenate((feeds, lone))) if len(lone) else feeds


def _quotes_are_regular(view: NDArray[np.uint8], quotes: _Positions, layout: Layout) -> bool:
    """True if each quote opens a cell, closes one, or is doubled inside of one.

    Then, read from the left, an even number of quotes before a byte means that it is outside.
    """
    quote, delimiter = layout.quote[0], layout.delimiter[0]
    opening, closing = quotes[0::2], quotes[1::2]
    before = view[opening[opening > 0] - 1]
    if not bool(((before == delimiter) | (before == LF) | (before == CR) | (before == quote)).all()):
        return False
    after = view[closing[closing < len(view) - 1] + 1]
    return bool(((after == delimiter) | (after == LF) | (after == CR) | (after == quote)).all())


def _faults(data: bytes, rows: _Rows, layout: Layout) -> NDArray[np.uint8]:
    """For each row 0, or the reason to reject it."""
    faults = np.zeros(len(rows.starts), np.uint8)
    faults[rows.cell_counts > layout.column_count] = RejectReason.WRONG_CELL_COUNT
    faults[rows.ends - rows.starts > layout.max_row_bytes] = RejectReason.ROW_TOO_LONG
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, rows.consumed], np.int32)), pa.py_buffer(data)]
    )
    if b"\0" in data:
        nul = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
        holds = np.searchsorted(nul, rows.ends) > np.searchsorted(nul, rows.starts)
        faults[holds & (faults == 0)] = RejectReason.BAD_TEXT
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        for row in np.flatnonzero(faults == 0):
            try:
                data[rows.starts[row] : rows.ends[row]].decode("utf-8")
            except UnicodeDecodeError:
                faults[row] = RejectReason.BAD_TEXT
    return faults


def _columns(data: bytes, rows: _Rows, faults: NDArray[np.uint8], layout: Layout) -> list[TextColumn] | None:
    """The cells of the rows without a fault, by column; None if Arrow finds other rows than this module."""
    bad = np.flatnonzero(faults)
    count = len(rows.starts) - len(bad)
    if count == 0:
        return [text_column([]) for _ in range(layout.column_count)]
    lacking = layout.column_count - rows.cell_counts
    ragged = (faults != 0) | (rows.cell_ends != rows.ends) | (lacking > 0)
    regular = not bool(ragged.any())
    if not regular and bool(((rows.cell_ends == rows.starts) & (faults == 0)).any()):
        return None  # one column, and an empty cell in it: Arrow would see an empty line
    source: bytes = (
        data
        if regular
        else regular_bytes(
            data,
            (rows.starts[ragged], rows.ends[ragged], rows.cell_ends[ragged], lacking[ragged], faults[ragged]),
            rows.consumed,
            layout,
        )
    )
    if regular and rows.consumed < len(data):
        source = data[: rows.consumed]
    table = csv.read_csv(
        pa.BufferReader(source),  # type: ignore[arg-type]  # the stub does not know Arrow's own files
        read_options=csv.ReadOptions(
            use_threads=False,
            block_size=len(source) + 1,
            column_names=[str(column) for column in range(layout.column_count)],
        ),
        parse_options=csv.ParseOptions(
            delimiter=layout.delimiter.decode("ascii"),
            quote_char=layout.quote.decode("ascii") if layout.quote else False,
            double_quote=True,
            escape_char=False,
            newlines_in_values=True,
            ignore_empty_lines=True,
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False,  # checked above
            column_types={str(column): pa.string() for column in range(layout.column_count)},
            strings_can_be_null=False,
        ),
    )
    if table.num_rows != count:
        return None
    return [_one_chunk(table.column(column)) for column in range(layout.column_count)]


def _one_chunk(column: Any) -> TextColumn:
    chunks = column.chunks
    whole: TextColumn = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    return whole
