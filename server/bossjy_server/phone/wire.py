"""Columns as the wire bytes of protobuf's repeated fields, read and written by whole columns.

A field is a tag and its content; a text's field is a tag, a length and its bytes. The order of fields is arbitrary, so
these bytes can be combined with the output of protobuf. A Python object for each row costs ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# A varint has seven bits a byte. Each step moves the upper half of a group away from the lower: (bits that stay, bits
# that move, distance).
_SPREAD = (
    (0x0000_0000_0FFF_FFFF, 0x00FF_FFFF_F000_0000, 4),
    (0x0000_3FFF_0000_3FFF, 0x0FFF_C000_0FFF_C000, 2),
    (0x007F_007F_007F_007F, 0x3F80_3F80_3F80_3F80, 1),
)
_SPREAD_WORDS = [(np.uint64(stay), np.uint64(move), np.uint64(by)) for stay, move, by in _SPREAD]
_WORD = 8
# By a varint's size in bytes: the bits that mean «another byte follows», and the bytes of a word that it fills.
_FOLLOWS = np.array([sum(0x80 << 8 * place for place in range(size - 1)) for size in range(_WORD + 1)], "<u8")
_FILLED = np.array([[place < size for place in range(_WORD)] for size in range(_WORD + 1)])
_SHORT = 128  # smaller values take one byte


def head(number: int) -> bytes:
    """The tag of a length-delimited field."""
    return varint(number << 3 | 2)


def varint(value: int) -> bytes:
    """One number, not negative."""
    out = bytearray()
    while value >= _SHORT:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def packed(number: int, values: NDArray[np.unsignedinteger | np.bool_]) -> bytes:
    """A packed field of numbers that are not negative, (n,); nothing at all for n = 0, as protobuf has it."""
    if not len(values):
        return b""
    most = int(np.max(values))
    if most < _SHORT:
        data = values.astype(np.uint8).tobytes()
    elif most < 1 << 14:
        data = _two_bytes(values.astype("<u2"))
    elif most < 1 << 7 * _WORD:
        data = _varints(values.astype("<u8"))
    else:
        data = b"".join([varint(value) for value in values.tolist()])
    return head(number) + varint(len(data)) + data


def _two_bytes(values: NDArray[np.uint16]) -> bytes:
    """Varints of values below 2 ** 14: each a byte or two."""
    long = values >= _SHORT
    words = values & 127
    words |= (values & 0x3F80) << 1
    words |= long.astype("<u2") << 7
    kept = np.ones(2 * len(values), np.bool_)
    kept[1::2] = long
    wire: bytes = words.astype("<u2", copy=False).view(np.uint8)[kept].tobytes()
    return wire


def _varints(values: NDArray[np.uint64]) -> bytes:
    sizes = np.ones(len(values), np.uint8)
    for place in range(1, _WORD):
        sizes += values >= np.uint64(1 << 7 * place)
    words = values
    for stay, move, by in _SPREAD_WORDS:
        words = (words & stay) | ((words & move) << by)
    words |= _FOLLOWS[sizes]
    wire: bytes = words.view(np.uint8)[_FILLED[sizes].reshape(-1)].tobytes()
    return wire


def short_texts(number: int, offsets: NDArray[np.int32] | NDArray[np.int64], data: NDArray[np.uint8]) -> bytes:
    """A repeated text field, from offsets (n + 1,) and bytes. Every text must be shorter than 128 bytes."""
    rows = len(offsets) - 1
    if not rows:
        return b""
    kind = pa.large_binary() if offsets.dtype == np.int64 else pa.binary()
    held = pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    order = np.empty(2 * rows, np.int64)
    order[::2] = np.diff(offsets)
    order[1::2] = np.arange(_SHORT, _SHORT + rows)
    joined = pa.concat_arrays([_heads(number).cast(kind), held]).take(order)
    _, ends, wire = cast("list[pa.Buffer]", joined.buffers())
    size = np.frombuffer(ends, offsets.dtype)[2 * rows]
    return wire.slice(0, int(size)).to_pybytes()


@cache
def _heads(number: int) -> pa.Array[Any]:
    """The bytes before a text, by its length."""
    return pa.array([head(number) + varint(length) for length in range(_SHORT)], pa.binary())


def texts(number: int, values: Iterable[str]) -> bytes:
    """A repeated text field of not many rows."""
    tag = head(number)
    return b"".join([tag + varint(len(data)) + data for data in [value.encode() for value in values]])


def few_texts(number: int, values: Mapping[int, str], rows: int) -> bytes:
    """A repeated text field of `rows` rows, most of them empty."""
    empty, parts, next_row = head(number) + b"\0", [], 0
    for row in sorted(values):
        parts += [empty * (row - next_row), texts(number, (values[row],))]
        next_row = row + 1
    return b"".join([*parts, empty * (rows - next_row)])


def read_texts(data: bytes, *numbers: int, most: int) -> list[pa.Array[Any]] | None:
    """A message of only repeated text fields, as one Arrow string array for each of `numbers` (all below 16).

    None if it has more than `most` texts, or cannot be read by whole columns: a text of 128 bytes or more or with
    control characters that look like a tag, another field, text that is not UTF-8, a broken message. Protobuf reads
    such a message, or rejects it.
    """
    if not _is_utf8(data):
        return None
    wire = np.frombuffer(data, np.uint8)
    tags = [head(number)[0] for number in numbers]
    looks = np.zeros(len(wire), np.bool_)
    for tag in tags:
        looks |= wire == tag
    # A length may look like a tag, but it is after one.
    begins = looks.copy()
    begins[1:] &= ~looks[:-1]
    if np.count_nonzero(begins) > most:
        return None
    starts = np.flatnonzero(begins)
    if not len(starts) or starts[-1] + 1 >= len(wire):
        return None
    lengths = wire[starts + 1]
    ends = starts + 2 + lengths
    # From here on it is certain: each field ends where the next begins, the first begins at 0, the last ends the data.
    if starts[0] or ends[-1] != len(wire) or bool((lengths >= _SHORT).any()) or bool((ends[:-1] != starts[1:]).any()):
        return None
    # Tag and length, text, tag and length, text: every second piece is a text.
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[:-1:2], offsets[1::2], offsets[-1] = starts, starts + 2, len(wire)
    pieces = pa.Array.from_buffers(pa.string(), 2 * len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    which = wire[starts]
    return [pieces.take(2 * np.flatnonzero(which == tag) + 1) for tag in tags]


def _is_utf8(data: bytes) -> bool:
    """True if all texts are UTF-8. Tags and lengths below 128 are, and no text's bytes can continue after them."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
