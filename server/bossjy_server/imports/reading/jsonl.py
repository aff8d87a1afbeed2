"""JSON lines, one object each, as columns of text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from bossjy_server.imports.reading.arrow import TextColumn, text_column
from bossjy_server.imports.reading.layout import ExtraCells, Layout, Place, RejectReason, RowBlock, RowFault
from bossjy_server.imports.reading.split import find_line_ends, no_rows

_BLANK = b" \t\r\n"
_NO_JSON_NUMBER = re.compile(rb"NaN|Infinity")


def object_of(line: bytes) -> dict[str, str] | None:
    """A line's object with its values as text; None if it is not an object. Digits stay as they were written."""
    try:
        found = _loaded(line)
    except (ValueError, RecursionError):
        return None
    return {key: _text(value) for key, value in found.items()} if isinstance(found, dict) else None


def _loaded(line: bytes) -> Any:
    try:
        found: Any = orjson.loads(line)
    except ValueError:
        # Python and JavaScript write NaN and Infinity, which JSON does not have.
        if not _NO_JSON_NUMBER.search(line):
            raise
        return json.loads(line, parse_float=str, parse_constant=str)
    if isinstance(found, dict) and any(isinstance(value, float) for value in found.values()):
        return json.loads(line, parse_float=str)
    return found


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def split_objects(
    data: bytes, place: Place, names: Sequence[str], layout: Layout, *, max_keys: int, final: bool
) -> RowBlock:
    """The complete lines at the front of `data`; columns in the order of `names`, other keys in `extra`."""
    if place.skipping:
        return _skip(data, place, layout, final=final)
    line_ends = find_line_ends(np.frombuffer(data, np.uint8), data, final=final).tolist()
    end = len(data) if final else line_ends[-1] + 1 if line_ends else 0
    if end == 0:
        return _without_line_end(data, place, layout)
    rows: list[tuple[dict[str, str], int, int, int]] = []
    faults: list[RowFault] = []
    start, line = 0, place.line
    ended = len(line_ends)
    if end > (line_ends[-1] + 1 if line_ends else 0):
        line_ends.append(end)
    for number, behind in enumerate(line_ends):
        raw = data[start:behind].strip(_BLANK)
        if raw:
            read = object_of(raw) if behind - start <= layout.max_row_bytes else None
            reason = _fault(raw, read, behind - start, layout.max_row_bytes, max_keys)
            if reason is None and read is not None:
                rows.append((read, start, behind, line))
            elif reason is not None:
                faults.append(RowFault(start, behind, place.offset + start, line, reason))
        line += number < ended
        start = behind + 1
    return _block(data[:end], place, names, rows, faults=faults, line=line)


def _fault(raw: bytes, read: dict[str, str] | None, size: int, max_bytes: int, max_keys: int) -> RejectReason | None:
    if size > max_bytes:
        return RejectReason.ROW_TOO_LONG
    if read is None:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return RejectReason.BAD_TEXT
        return RejectReason.BAD_JSON
    if len(read) > max_keys:
        return RejectReason.WRONG_CELL_COUNT
    if any("\0" in key or "\0" in value for key, value in read.items()):
        return RejectReason.BAD_TEXT
    return None


def _block(
    data: bytes,
    place: Place,
    names: Sequence[str],
    rows: list[tuple[dict[str, str], int, int, int]],
    *,
    faults: list[RowFault],
    line: int,
) -> RowBlock:
    known = frozenset(names)
    starts = np.array([start for _, start, _, _ in rows], np.int64)
    return RowBlock(
        data=data,
        columns=[_column(rows, name) for name in names],
        starts=starts,
        ends=np.array([end for _, _, end, _ in rows], np.int64),
        offsets=place.offset + starts,
        lines=np.array([at for _, _, _, at in rows], np.int64),
        faults=faults,
        extra=_extra([row for row, _, _, _ in rows], known),
        consumed=len(data),
        next=Place(place.offset + len(data), line),
    )


def _extra(rows: list[dict[str, str]], known: frozenset[str]) -> ExtraCells | None:
    keys = [[key for key in row if key not in known] for row in rows]
    if not any(keys):
        return None
    return ExtraCells(
        np.cumsum([0, *map(len, keys)], dtype=np.int32),
        [key for of_row in keys for key in of_row],
        text_column(row[key] for row, of_row in zip(rows, keys, strict=True) for key in of_row),
    )


def _column(rows: list[tuple[dict[str, str], int, int, int]], name: str) -> TextColumn:
    return text_column(row.get(name, "") for row, _, _, _ in rows)


def _skip(data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
    line_ends = find_line_ends(np.frombuffer(data, np.uint8), data, final=final)
    # A CR at the end may be one line end with the LF after it.
    undecided = not len(line_ends) and data.endswith(b"\r") and not final
    consumed = int(line_ends[0]) + 1 if len(line_ends) else len(data) - undecided
    skipping = not len(line_ends) and not final
    following = Place(place.offset + consumed, place.line + bool(len(line_ends)), skipping)
    return no_rows(data, layout.column_count, consumed, following)


def _without_line_end(data: bytes, place: Place, layout: Layout) -> RowBlock:
    if len(data) <= layout.max_row_bytes:
        return no_rows(data, layout.column_count, 0, place)
    following = Place(place.offset + len(data), place.line, skipping=True)
    block = no_rows(data, layout.column_count, len(data), following)
    block.faults.append(RowFault(0, len(data), place.offset, place.line, RejectReason.ROW_TOO_LONG))
    return block
