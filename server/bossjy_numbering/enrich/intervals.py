"""Longest-prefix match by intervals: digits become a key, and one binary search finds the value.

A key is the first `width` digits read in base 11, digit d as d + 1 and 0 where the digits end. So keys sort as texts
do, every prefix is one interval of keys, and a number that is shorter than a prefix comes before that interval.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

BASE = 11
_AS_DIGITS_OF_BASE = bytes.maketrans(b"0123456789", b"123456789a")


def key_of(digits: str, width: int) -> int:
    """The key of digits of any number."""
    return int(digits[:width].encode().translate(_AS_DIGITS_OF_BASE).ljust(width, b"0"), BASE)


def keys_of(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], width: int
) -> NDArray[np.uint64]:
    """Keys (n,) of the ASCII digits `data[starts[i] : starts[i] + lengths[i]]`."""
    keys = np.zeros(len(starts), np.uint64)
    if not len(starts):
        return keys
    last = len(data) - 1
    shortest = int(np.min(lengths))
    for place in range(width):
        if place < shortest:
            digit = data[starts + place] - np.uint8(ord("0") - 1)
        else:
            digit = data[np.minimum(starts + place, last)] - np.uint8(ord("0") - 1)
            digit *= place < lengths
        keys *= np.uint64(BASE)
        keys += digit
    return keys


class Intervals:
    """The value of the longest prefix of a number: one for each interval of keys, 0 if there is none."""

    def __init__(self, starts: NDArray[np.unsignedinteger], values: NDArray[np.unsignedinteger], width: int) -> None:
        self.width = width
        self._starts = starts
        self._values = values
        # Plain ints out of a memory view cost a third of NumPy's scalars.
        self._start_view = memoryview(np.ascontiguousarray(starts))
        self._value_view = memoryview(np.ascontiguousarray(values))

    def value(self, digits: str) -> int:
        """The value for the digits of one number."""
        return self._value_view[bisect_right(self._start_view, key_of(digits, self.width)) - 1]

    def values(self, keys: NDArray[np.uint64]) -> NDArray[np.unsignedinteger]:
        """The values for a column of keys, (n,)."""
        held = self._starts.dtype
        # A key may exceed the maximum of the starts' type: it comes after the last of them, like that maximum.
        within = np.minimum(keys, np.uint64(np.iinfo(held).max)).astype(held)
        found: NDArray[np.unsignedinteger] = self._values[np.searchsorted(self._starts, within, side="right") - 1]
        return found


def smallest(values: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
    """The same values in the smallest sufficient type."""
    held: NDArray[np.unsignedinteger] = values.astype(np.min_scalar_type(int(np.max(values, initial=0))))
    return held


def flatten(
    prefixes: Iterable[tuple[str, int]], width: int, within: Callable[[int, int], int]
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]:
    """Starts of the intervals and their values, for prefixes of at most `width` digits with values above 0.

    `within(outer, own)` is the value of a prefix whose next shorter prefix has the value `outer` (0 if there is none).
    """
    starts, values = [0], [0]
    # The prefixes that contain the present one: the end of each, and its value.
    around = [(BASE**width, 0)]

    def change(start: int, value: int) -> None:
        if starts[-1] == start:
            values[-1] = value
        else:
            starts.append(start)
            values.append(value)

    def leave_until(start: int) -> None:
        while around[-1][0] <= start and len(around) > 1:
            end, _ = around.pop()
            change(end, around[-1][1])

    for prefix, own in sorted(prefixes):
        start = key_of(prefix, width)
        leave_until(start)
        value = within(around[-1][1], own)
        change(start, value)
        around.append((start + BASE ** (width - len(prefix)), value))
    leave_until(BASE**width)
    held = np.array(values, np.int64)
    changes = np.concatenate(([True], held[1:] != held[:-1]))
    return smallest(np.array(starts, np.int64)[changes]), smallest(held[changes])
