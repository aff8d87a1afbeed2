"""Rows with more than digits and punctuation: extensions, letters, text behind the number.

The parts of a text depend on which characters are digits, not on their values (`scalar_text.py`). So they are found once
for each shape, which is the text with a zero for each digit, and hold for all rows of this shape. What is left to do
for each row is a look into a dictionary. The digits of the numbers are then taken out of all rows at once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.digits import MOST_DIGITS, NOT_DIGITS, Bytes, Digits, plain
from bossjy_numbering.column.words import PADDING, Ints
from bossjy_numbering.scalar_text import DIGIT_OF_KEY, LONGEST_TEXT, NO_KEYS, PLUS_SIGNS, Parts, parts_of
from bossjy_numbering.steps import Steps

# Rows of known shapes between two steps; a new shape is a step.
_ROWS: Final = 512
# Limits of the shapes that a call keeps: how many, and the bytes of each.
_KEPT: Final = 4096
_LONGEST_KEPT: Final = 96
_SHAPE_OF: Final = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(256))
# Kinds of shapes. Rows of UNDECIDED must be answered one by one.
_UNDECIDED, _NOTHING, _DIGITS, _KEYPAD = range(4)
# Kind, whether a plus goes before the number, its digits, and the bytes where number and extension begin and end.
_FIELDS = struct.Struct("=7H")
_WORST = _FIELDS.pack(_UNDECIDED, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of some rows. A row that turns out to be no number has none."""

    rows: Ints
    texts: list[str]


NO_EXTENSIONS: Final = Extensions(np.zeros(0, np.int64), [])


class Shapes:
    """The shapes that a call has met, by their text."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def read(self, data: Bytes, offsets: Ints, read: Digits) -> Steps[tuple[Digits, Extensions]]:
        """The digits of the rows that are unclear in `read`, as far as their shapes decide, added to the others."""
        rows = np.flatnonzero(read.unclear)
        text = data.tobytes()
        found = yield from self._find(text.translate(_SHAPE_OF), offsets, rows)
        kind, plus, count, begin, end, extension_begin, extension_end = found.T
        numbers = np.concatenate([np.flatnonzero(kind == _DIGITS), np.flatnonzero(kind == _KEYPAD)])
        keypad = int(np.count_nonzero(kind == _KEYPAD))
        starts = offsets[rows[numbers]] + begin[numbers]
        digits = _digits(data, starts, (end - begin)[numbers], keypad)
        lengths = count[numbers]
        ends = np.cumsum(lengths)
        if len(digits) != int(lengths.sum()):
            raise AssertionError("a row has more or fewer digits than its shape")
        merged = replace(
            read,
            buffer=np.concatenate([read.buffer[:-PADDING], digits, np.zeros(PADDING, np.uint8)]),
            starts=_put(read.starts, rows[numbers], len(read.buffer) - PADDING + ends - lengths),
            lengths=_put(read.lengths, rows[numbers], lengths),
            plus=_put(read.plus, rows[numbers], plus[numbers] != 0),
            nothing=_put(read.nothing, rows, kind == _NOTHING),
            unclear=_put(read.unclear, rows, kind == _UNDECIDED),
        )
        extended = np.flatnonzero(extension_end)
        first = offsets[rows[extended]]
        bounds = zip((first + extension_begin[extended]).tolist(), (first + extension_end[extended]).tolist(), strict=True)
        return merged, Extensions(rows[extended], [text[begin:end].decode() for begin, end in bounds])

    def _find(self, shapes: bytes, offsets: Ints, rows: Ints) -> Steps[Ints]:
        """What `_FIELDS` holds, for each of some rows. (n, 7)."""
        known, found = self._known, []
        for begin in range(0, len(rows), _ROWS):
            yield
            some = rows[begin : begin + _ROWS]
            for first, end in zip(offsets[some].tolist(), offsets[some + 1].tolist(), strict=True):
                shape = shapes[first:end]
                fields = known.get(shape)
                if fields is None:
                    fields = _fields_of(shape)
                    yield
                    if len(shape) <= _LONGEST_KEPT:
                        if len(known) >= _KEPT:
                            known.clear()
                        known[shape] = fields
                found.append(fields)
        return np.frombuffer(b"".join(found), np.uint16).reshape(-1, 7).astype(np.int64)


def _put(whole: NDArray[Any], rows: Ints, values: NDArray[Any]) -> NDArray[Any]:
    """A copy of an array in which some places hold other values."""
    changed = whole.copy()
    changed[rows] = values
    return changed


def _fields_of(shape: bytes) -> bytes:
    """What `_FIELDS` holds of a shape."""
    # A character has four bytes at most.
    if len(shape) > 4 * LONGEST_TEXT:
        return _WORST
    try:
        text = shape.decode()
    except UnicodeDecodeError:
        return _WORST
    parts = parts_of(text) if len(text) <= LONGEST_TEXT else None
    if parts is None:
        return _WORST
    if parts.begin == parts.end:
        return _FIELDS.pack(_NOTHING, 0, 0, 0, 0, 0, 0)
    number = text[parts.begin : parts.end]
    if number.isascii():
        count = sum(map(str.isalnum if parts.keypad else str.isdecimal, number))
    elif parts.keypad or max(number) > "\uffff":
        return _WORST
    else:
        count = sum(map(str.isdecimal, number))
    if not 3 <= count <= MOST_DIGITS:
        return _WORST
    kind = _KEYPAD if parts.keypad else _DIGITS
    return _FIELDS.pack(kind, number[0] in PLUS_SIGNS, count, *_places(text, parts))


def _places(text: str, parts: Parts) -> tuple[int, ...]:
    """The parts in bytes."""
    places = parts[:4]
    return places if text.isascii() else tuple(len(text[:place].encode()) for place in places)


def _digits(data: Bytes, starts: Ints, sizes: Ints, keypad: int) -> Bytes:
    """The digits of numbers in a text, one number behind the other; of the last `keypad` by the letters of keys."""
    bounds = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(sizes, out=bounds[1:])
    place = np.repeat(starts - bounds[:-1], sizes)
    place += np.arange(len(place))
    numbers = data.take(place)
    until = int(bounds[len(starts) - keypad])
    without_keys = plain(numbers[:until], bounds[: len(starts) - keypad + 1]).tobytes()
    with_keys = numbers[until:].tobytes()
    return np.frombuffer(without_keys.translate(None, NOT_DIGITS) + with_keys.translate(DIGIT_OF_KEY, NO_KEYS), np.uint8)
