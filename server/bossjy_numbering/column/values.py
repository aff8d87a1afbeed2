"""Values of digit sequences, eight digits at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import packed_digits
from bossjy_numbering.column.packed_digits import PADDING, ROOM, Ints, Words

# Rows at a time: their intermediate results stay in a core's cache.
_CHUNK = 8192
_ZERO = ord("0")
# Each step joins neighbours: digits to pairs, pairs to fours, fours to eights.
_JOINS = (
    (np.uint64(10 << 8 | 1), np.uint64(8), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(100 << 16 | 1), np.uint64(16), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(10_000 << 32 | 1), np.uint64(32), np.uint64(0x00000000FFFFFFFF)),
)
_EIGHT_DIGITS = np.uint64(10**8)
_SIXTEEN_DIGITS = np.uint64(10**16)


def national_numbers(
    data: NDArray[np.uint8], starts: Ints, lengths: Ints
) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Values and leading zeros of sequences of at most 17 digits; (0, 0) if the length is not positive. All (n,)."""
    values = np.zeros(len(starts), np.uint64)
    zeros = np.zeros(len(starts), np.uint8)
    # Sixteen bytes are read up to each end, so as many must precede the first.
    buffer = np.concatenate([np.zeros(ROOM, np.uint8), data, np.zeros(PADDING, np.uint8)])
    for begin in range(0, len(starts), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        rows = np.flatnonzero(lengths[part] > 0)
        rows += begin
        start, length = starts[rows] + ROOM, lengths[rows].astype(np.int64)
        values[rows] = _values(buffer, start + length - ROOM, length)
        seventeenth = rows[length > ROOM]
        values[seventeenth] += (data[starts[seventeenth]] - np.uint8(_ZERO)) * _SIXTEEN_DIGITS
        leading = rows[buffer[start] == _ZERO]
        zeros[leading] = _leading_zeros(data, starts[leading], lengths[leading])
    return values, zeros


def _values(buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> Words:
    """Values of the digits that end sixteen bytes after each start."""
    raw = packed_digits.gather(buffer, starts)
    raw ^= packed_digits.ASCII_ZEROS
    # The bytes before the first digit are those that a length of `ROOM - lengths` keeps.
    raw &= ~packed_digits.keep_masks((ROOM - lengths).clip(min=0))
    for factor, shift, mask in _JOINS:
        raw *= factor
        raw >>= shift
        raw &= mask
    joined: Words = raw[:, 0] * _EIGHT_DIGITS + raw[:, 1]
    return joined


def _leading_zeros(data: NDArray[np.uint8], starts: Ints, lengths: Ints) -> NDArray[np.uint8]:
    """The number of leading zeros of each sequence. Its last digit does not count."""
    zeros = np.zeros(len(starts), np.uint8)
    going = np.arange(len(starts))
    for place in range(max(lengths.tolist(), default=0) - 1):
        going = going[lengths[going] - 1 > place]
        going = going[data[starts[going] + place] == _ZERO]
        zeros[going] += 1
    return zeros
