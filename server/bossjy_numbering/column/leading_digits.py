"""Leading digits of a row: calling codes by three digits, prefixes by two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.packed_digits import Ints
from bossjy_numbering.prefix import NO_PREFIX
from bossjy_numbering.tables import Tables

Bytes = NDArray[np.uint8]
ZERO = ord("0")
# The length of the prefix depends on digits after the second, or on the number of digits.
UNDECIDED = 255
TENS = 10 ** np.arange(4)


def first_number(buffer: Bytes, starts: Ints, digits: int) -> Ints:
    """The value of the first digits of each row."""
    value = np.zeros(len(starts), np.int64)
    for digit in range(digits):
        value *= 10
        value += buffer[starts + digit]
        value -= ZERO
    return value


def codes_by_three_digits(codes: Ints) -> Ints:
    """The position of the calling code that begins the digits, by the first three digits; -1 for none (rule 8)."""
    by_digits = np.full(1000, -1, np.int64)
    for position, code in enumerate(codes.tolist()):
        room = 10 ** (3 - len(str(code)))
        by_digits[code * room : (code + 1) * room] = position
    return by_digits


def by_region(buffer: Bytes, starts: Ints, region: Ints) -> Ints:
    """The index of the first two digits of each row in a two-digit table by region."""
    place = region * 100
    # A byte after a row's last digit may be no digit. It is read as any digit.
    place += np.minimum(buffer.take(starts) - np.uint8(ZERO), 9) * np.int64(10)
    place += np.minimum(buffer.take(starts + 1) - np.uint8(ZERO), 9)
    return place


def lengths_by_two_digits(tables: Tables, states: Ints) -> Ints:
    """(r * 100,): by a region's position and two digits, the length of its prefix, NO_PREFIX, or UNDECIDED."""
    pairs = np.arange(100)
    first = tables.step[states.clip(min=0)[:, None], pairs // 10]
    second = tables.step[first, pairs % 10]
    decided = tables.step[second, 0] == second
    lengths = np.where(decided, tables.outcome[second], UNDECIDED)
    lengths[states < 0] = NO_PREFIX
    return lengths.astype(np.int64).reshape(-1)


def leading_digits_of(codes: Ints) -> NDArray[np.bool_]:
    """(r * 100,): by a region's position and two digits, true if its calling code can begin with them."""
    can = np.zeros((len(codes), 100), np.bool_)
    for position, code in enumerate(codes.tolist()):
        digits = str(code)[:2]
        # Any digit can follow a code of one digit.
        room = 10 ** (2 - len(digits))
        can[position, int(digits) * room : (int(digits) + 1) * room] = True
    return can.reshape(-1)
