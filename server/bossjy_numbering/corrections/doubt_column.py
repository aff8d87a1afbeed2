"""Doubts about the answers of a column: passes over its bytes, and a detailed check of few rows.

Byte comparisons decide a row of digits, `+` and marks. Rows with other characters, and rows that may end in the
decimals of a number cell, are read one by one.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.column.texts import TextBuffers, Texts, text_buffers
from bossjy_numbering.corrections.doubts import USUAL_EXTENSION, Doubt, doubt_bits, is_clean
from bossjy_numbering.corrections.normal import normalised
from bossjy_numbering.steps import Steps

_CHUNK = 16_384
_ROWS_A_STEP = 64
_SPACE, _STAR, _PLUS, _COMMA, _POINT, _ZERO = (np.uint8(ord(mark)) for mark in " *+,.0")
# From `(` to `9`.
_FIRST, _SPAN = np.uint8(ord("(")), np.uint8(ord("9") - ord("("))
_EXTENDED = re.compile(USUAL_EXTENSION.encode(), re.IGNORECASE)
_CUT, _ASSUMED = int(Doubt.EXTENSION_CUT), int(Doubt.REGION_ASSUMED)
# Rows whose normalised text is digits, `+` and marks: also full-width ones, and marks of direction that cannot be seen.
# Only a plus counts in them. Points are not among them: they can be read in two ways.
_PLAIN = re.compile(
    rb"(?:[0-9+ ()/\-]|\xef\xbc[\x88\x89\x8b\x90-\x99]|\xe3\x80\x80|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9])*"
)
_FULL_WIDTH_PLUS = "\uff0b".encode()


def column_doubts(values: Texts, column: NumberColumn) -> Steps[NDArray[np.uint16]]:
    """The doubts about each answer of a column for `values`, as in `text_doubts`, (n,)."""
    texts = text_buffers(values)
    doubts = np.zeros(len(texts), np.uint16)
    for begin in range(0, len(texts), _CHUNK):
        yield
        end = min(begin + _CHUNK, len(texts))
        if _is_e164(texts, column, begin, end):
            continue
        valid = column.valid[begin:end]
        plus, unusual = _marks(texts, begin, end)
        doubts[begin:end][valid & ~plus] = int(Doubt.REGION_ASSUMED)
        rows = np.flatnonzero(unusual & valid) + begin
        if len(rows):
            # Lists: reading one element of an array costs as much as a short regular expression.
            doubts[rows] = yield from _of_rows(texts, column, rows, doubts[rows].tolist())
    return doubts


def _of_rows(texts: TextBuffers, column: NumberColumn, rows: NDArray[np.int64], known: list[int]) -> Steps[list[int]]:
    """The doubts about some rows, each as `text_doubts` finds them; `known`: those that byte comparisons found."""
    found: list[int] = []
    places = zip(
        rows.tolist(),
        known,
        texts.offsets[rows].tolist(),
        texts.offsets[rows + 1].tolist(),
        column.has_extension[rows].tolist(),
        strict=True,
    )
    for place, (row, doubt, start, end, extended) in enumerate(places):
        if place % _ROWS_A_STEP == 0:
            yield
        raw = texts.data[start:end].tobytes()
        if extended and _EXTENDED.fullmatch(raw):
            found.append(doubt | _CUT)
            continue
        if not extended and _PLAIN.fullmatch(raw):
            found.append(0 if _FULL_WIDTH_PLUS in raw or b"+" in raw else _ASSUMED)
            continue
        plain = normalised(texts.text(row) if not raw.isascii() else raw.decode("ascii"))
        if not extended and is_clean(plain):
            found.append(0 if "+" in plain else _ASSUMED)
            continue
        code = int(column.calling_code[row])
        begin, stop = column.e164_offsets[row : row + 2].tolist()
        national = column.e164_data[begin:stop].tobytes().decode("ascii")[1 + len(str(code)) :]
        found.append(doubt_bits(plain, national, code, column.extensions.get(row)))
    return found


def _is_e164(texts: TextBuffers, column: NumberColumn, begin: int, end: int) -> bool:
    """True if rows are their own E.164, as most columns are: one comparison of memory."""
    first, last = texts.offsets[begin], texts.offsets[end]
    start, stop = column.e164_offsets[begin], column.e164_offsets[end]
    if last - first != stop - start:
        return False
    moved = texts.offsets[begin : end + 1] - column.e164_offsets[begin : end + 1]
    own, written = texts.data[first:last], column.e164_data[start:stop]
    return bool((moved == moved[0]).all()) and memoryview(own).tobytes() == memoryview(written).tobytes()


def _marks(texts: TextBuffers, begin: int, end: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By row: true if it has a plus; true if it has characters, or an end, that need a detailed check."""
    offsets = texts.offsets[begin : end + 1]
    data = texts.data[offsets[0] : offsets[-1]]
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    plus, unusual = np.zeros(end - begin, np.bool_), np.zeros(end - begin, np.bool_)
    if not len(data):
        return plus, unusual
    is_plus = data == _PLUS
    filled = ends > starts
    plus[filled] = is_plus[starts[filled]]
    if np.count_nonzero(is_plus) != np.count_nonzero(plus):
        plus[_rows_of(np.flatnonzero(is_plus), starts)] = True
    odd = (data - _FIRST) > _SPAN
    odd &= data != _SPACE
    odd |= (data == _STAR) | (data == _COMMA)
    # A point with a zero after it, in a row that ends with a zero or a space.
    decimal = np.flatnonzero(data[:-1] == _POINT)
    decimal = decimal[data[decimal + 1] == _ZERO]
    if len(decimal):
        rows = _rows_of(decimal, starts)
        last = data[ends[rows] - 1]
        unusual[rows[(last == _ZERO) | (last == _SPACE)]] = True
    unusual[_rows_of(np.flatnonzero(odd), starts)] = True
    return plus, unusual


def _rows_of(places: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that places in the bytes belong to."""
    rows: NDArray[np.int64] = np.searchsorted(starts, places, "right") - 1
    return rows
