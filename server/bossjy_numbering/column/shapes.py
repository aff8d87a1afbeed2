"""Rows with more than digits and punctuation: extensions, letters, text after the number.

The parts of a text depend on which characters are digits, not on their values (`scalar_text.py`). So they are found
once for each shape, which is a text with a zero for each digit. Each row then costs one dictionary look-up. The digits
of all rows are then extracted at once.

Most rows begin with a number among punctuation. Their shape is that of the rest, the tail: the head before it has the
same effect as three digits. Both have the form of a number, end in a digit and contain no letters. The gap and the
digits of an extension are in the tail, because punctuation is a gap only in `- 12#`. So a tail must not begin with `#`,
nor with a digit, which can only be one beyond U+FFFF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.digits import MOST_DIGITS, NOT_DIGITS, Before, Bytes, Digits, Heads, next_digits, plain
from bossjy_numbering.column.packed_digits import PADDING, Flags, Ints
from bossjy_numbering.scalar_text import DIGIT_OF_KEY, LONGEST_TEXT, NO_KEYS, PLUS_SIGNS, Parts, parts_of
from bossjy_numbering.steps import Steps

# Rows of known shapes between two steps; a new shape is a step.
_ROWS: Final = 512
# Limits of the shapes that a call keeps, for tails and for whole texts: their number, and the bytes of each.
_KEPT: Final = 4096
_LONGEST_KEPT: Final = 96
_SHAPE_OF: Final = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(256))
_HEAD: Final = b"000"
_HASH, _ZERO, _NINE = b"#09"
# The lowest first byte of a character beyond U+FFFF.
_FOUR_BYTES: Final = 0xF0
# Kinds of shapes. Rows of UNDECIDED must be read one by one.
_UNDECIDED, _NOTHING, _DIGITS, _KEYPAD = range(4)
# Kind, plus before the number, number of digits, and the bytes where number and extension begin and end.
_FIELDS = struct.Struct("=7H")
_WORST = _FIELDS.pack(_UNDECIDED, 0, 0, 0, 0, 0, 0)
_Known = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of some rows. A row that turns out to be no number has none."""

    rows: Ints
    texts: list[str]


NO_EXTENSIONS: Final = Extensions(np.zeros(0, np.int64), [])


@dataclass(frozen=True, slots=True)
class _Found:
    """The parts of some rows, as bytes of the text of all. All (n,)."""

    rows: Ints
    kind: Ints
    plus: Flags
    digits: Ints
    begin: Ints
    end: Ints
    extension_begin: Ints
    # -1 for none.
    extension_end: Ints


class Shapes:
    """The shapes that a call has met."""

    def __init__(self) -> None:
        self._tails: _Known = {}
        self._texts: _Known = {}

    def read(self, data: Bytes, offsets: Ints, read: Digits) -> Steps[tuple[Digits, Extensions]]:
        """The digits of the unclear rows in `read`, as far as their shapes decide them, merged with the others."""
        text = data.tobytes()
        found = yield from self._find(text.translate(_SHAPE_OF), data, offsets, read)
        kind = found.kind
        numbers = np.concatenate([np.flatnonzero(kind == _DIGITS), np.flatnonzero(kind == _KEYPAD)])
        digits = _digits(data, found.begin[numbers], found.end[numbers], int(np.count_nonzero(kind == _KEYPAD)))
        rows, lengths = found.rows[numbers], found.digits[numbers]
        ends = np.cumsum(lengths)
        if len(digits) != int(lengths.sum()):
            raise AssertionError("a row has more or fewer digits than its shape")
        merged = replace(
            read,
            buffer=np.concatenate([read.buffer[:-PADDING], digits, np.zeros(PADDING, np.uint8)]),
            starts=_put(read.starts, rows, len(read.buffer) - PADDING + ends - lengths),
            lengths=_put(read.lengths, rows, lengths),
            plus=_put(read.plus, rows, found.plus[numbers]),
            nothing=_put(read.nothing, found.rows, kind == _NOTHING),
            unclear=_put(read.unclear, found.rows, kind == _UNDECIDED),
        )
        extended = np.flatnonzero((found.extension_end >= 0) & (kind != _UNDECIDED))
        bounds = zip(found.extension_begin[extended].tolist(), found.extension_end[extended].tolist(), strict=True)
        return merged, Extensions(found.rows[extended], [text[begin:end].decode() for begin, end in bounds])

    def _find(self, shapes: bytes, data: Bytes, offsets: Ints, read: Digits) -> Steps[_Found]:
        first = data.take(read.heads.ends)
        heads = read.heads.only((first != _HASH) & (first < _FOUR_BYTES))
        whole = read.unclear.copy()
        whole[heads.rows] = False
        others = np.flatnonzero(whole)
        fields = np.concatenate(
            [
                (yield from _look_up(self._tails, _HEAD, shapes, heads.ends, offsets[heads.rows + 1])),
                (yield from _look_up(self._texts, b"", shapes, offsets[others], offsets[others + 1])),
            ]
        )
        kind, plus, digits, begin, end, extension_begin, extension_end = np.ascontiguousarray(fields.T)
        tails = slice(0, len(heads.rows))
        none = extension_end == 0
        base = np.concatenate([heads.ends - len(_HEAD), offsets[others]])
        for places in (begin, end, extension_begin, extension_end):
            np.add(places, base, out=places)
        extension_end[none] = -1
        digits[tails] += heads.digits - len(_HEAD)
        begin[tails] = offsets[heads.rows]
        plus[tails] = read.plus[heads.rows]
        kind[(kind > _NOTHING) & (digits > MOST_DIGITS)] = _UNDECIDED
        _begin_keypad(data, heads, kind[tails], begin[tails])
        rows = np.concatenate([heads.rows, others])
        return _Found(rows, kind, plus != 0, digits, begin, end, extension_begin, extension_end)


def _begin_keypad(data: Bytes, heads: Heads, kind: Ints, begin: Ints) -> None:
    """Moves `begin` past the text before the number if letters stand for digits: letters before it do not. (n,)."""
    rows = np.flatnonzero(kind == _KEYPAD)
    if len(rows):
        is_digit = (data >= _ZERO) & (data <= _NINE)
        before = Before(is_digit)
        # Digits of other scripts are dropped by rule 6.
        bare = before(heads.ends[rows]) - before(begin[rows]) == heads.digits[rows]
        kind[rows[~bare]] = _UNDECIDED
        begin[rows[bare]] = next_digits(is_digit, begin[rows[bare]], 1)


def _look_up(known: _Known, head: bytes, shapes: bytes, begins: Ints, ends: Ints) -> Steps[Ints]:
    """The `_FIELDS` of some shapes, each with a head before it. (n, 7)."""
    found: list[bytes] = []
    for start in range(0, len(begins), _ROWS):
        yield
        rows = slice(start, start + _ROWS)
        for begin, end in zip(begins[rows].tolist(), ends[rows].tolist(), strict=True):
            shape = shapes[begin:end]
            fields = known.get(shape)
            if fields is None:
                fields = _fields_of(head + shape)
                yield
                if len(shape) <= _LONGEST_KEPT:
                    if len(known) >= _KEPT:
                        known.clear()
                    known[shape] = fields
            found.append(fields)
    return np.frombuffer(b"".join(found), np.uint16).reshape(-1, 7).astype(np.int64)


def _fields_of(shape: bytes) -> bytes:
    """The `_FIELDS` of a shape."""
    try:
        # A character has four bytes at most.
        text = shape.decode() if len(shape) <= 4 * LONGEST_TEXT else ""
    except UnicodeDecodeError:
        return _WORST
    parts = parts_of(text) if 0 < len(text) <= LONGEST_TEXT else None
    if parts is None:
        return _WORST
    if parts.begin == parts.end:
        return _FIELDS.pack(_NOTHING, 0, 0, 0, 0, 0, 0)
    number = text[parts.begin : parts.end]
    if number.isascii():
        digits = len(number.encode().translate(None, NO_KEYS if parts.keypad else NOT_DIGITS))
    elif parts.keypad or max(number) > "\uffff":
        return _WORST
    else:
        digits = sum(map(str.isdecimal, number))
    if digits < 3:
        return _WORST
    kind = _KEYPAD if parts.keypad else _DIGITS
    return _FIELDS.pack(kind, number[0] in PLUS_SIGNS, digits, *_places(text, parts))


def _places(text: str, parts: Parts) -> tuple[int, ...]:
    """The positions of the parts in bytes."""
    places = parts[:4]
    return places if text.isascii() else tuple(len(text[:place].encode()) for place in places)


def _put(whole: NDArray[Any], rows: Ints, values: NDArray[Any]) -> NDArray[Any]:
    """A copy of an array with other values at some positions."""
    changed = whole.copy()
    changed[rows] = values
    return changed


def _digits(data: Bytes, begins: Ints, ends: Ints, keypad: int) -> Bytes:
    """The digits of numbers in a text, one after another. In the last `keypad` numbers letters stand for digits."""
    sizes = ends - begins
    bounds = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=bounds[1:])
    place = np.repeat(begins - bounds[:-1], sizes)
    place += np.arange(len(place))
    numbers = data.take(place)
    last = len(sizes) - keypad
    until = int(bounds[last])
    without_keys = plain(numbers[:until], bounds[: last + 1]).tobytes()
    with_keys = numbers[until:].tobytes()
    return np.frombuffer(
        without_keys.translate(None, NOT_DIGITS) + with_keys.translate(DIGIT_OF_KEY, NO_KEYS), np.uint8
    )
