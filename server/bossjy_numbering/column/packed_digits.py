"""Packed digits: sixteen digits of each row as two 64-bit words, and state walks of two digits a step.

A word has eight digits, the first in its lowest byte, so sums and products of words work on eight digits of a row at
once. After a row's last digit comes BLANK, which leaves every state unchanged.
"""

from __future__ import annotations

import sys
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.tables import Tables

if sys.byteorder != "little":
    raise ImportError("a word's lowest byte must come first, as it does on x86 and ARM")

Words: TypeAlias = NDArray[np.uint64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
States: TypeAlias = NDArray[np.uint16]

# Digits in two words.
ROOM = 16
# Bytes that must follow the last digit of a buffer, so that a row's sixteen bytes can be read whatever its length.
PADDING = 32
BLANK = 10
_BASE = 11
# Followers of a state: by two digits, each 0 to 9 or BLANK.
PAIRS = _BASE * _BASE


def _bytes_of(value: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([value]) * 8, "little"))


ASCII_ZEROS = _bytes_of(ord("0"))
_BLANKS = _bytes_of(BLANK)
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
# A word times this has in each odd byte eleven times a byte plus the next one.
_PAIRING = np.uint64(_BASE << 8 | 1)
_EIGHT = np.uint64(8)


def _keep_masks() -> Words:
    """By length: all bits of the bytes that are digits. Lengths beyond ROOM keep all."""
    masks = np.zeros((ROOM + 2, ROOM), np.uint8)
    for length in range(ROOM + 2):
        masks[length, :length] = 0xFF
    return masks.view(np.uint64)


_KEEP = _keep_masks()


def gather(buffer: NDArray[np.uint8], starts: Ints) -> Words:
    """The sixteen bytes from each start. Shapes: buffer (bytes + PADDING,), starts (n,) -> (n, 2)."""
    # One item of sixteen bytes at every offset: indexing it is the only unaligned read of NumPy.
    windows = np.ndarray((len(buffer) - ROOM + 1,), np.dtype("V16"), buffer, 0, (1,))
    return windows[starts].view(np.uint64).reshape(-1, 2)


def keep_masks(lengths: Ints) -> Words:
    """Masks of the bytes in each row's words that are digits, (n,) -> (n, 2)."""
    return _KEEP.take(lengths, axis=0, mode="clip")


def digit_values(raw: Words, keep: Words) -> Words:
    """ASCII digits as values 0 to 9, and 0 after the last one. `raw` is overwritten and returned."""
    np.bitwise_xor(raw, ASCII_ZEROS, out=raw)
    return np.bitwise_and(raw, keep, out=raw)


def with_blanks(values: Words, keep: Words) -> Words:
    """Values with BLANK after the last digit."""
    blanks = np.bitwise_not(keep)
    np.bitwise_and(blanks, _BLANKS, out=blanks)
    return np.bitwise_or(blanks, values, out=blanks)


def pair_codes(values: Words) -> Words:
    """Two digits as one code `11 * first + second`, in the even bytes of each word; the odd ones are 0."""
    codes: Words = values * _PAIRING
    np.right_shift(codes, _EIGHT, out=codes)
    return np.bitwise_and(codes, _EVEN_BYTES, out=codes)


class Walker:
    """The states of a plan, in the layout for walking columns."""

    def __init__(self, tables: Tables) -> None:
        count = tables.state_count
        blank = np.arange(count, dtype=np.uint16)[:, None]
        single = np.concatenate([tables.step, blank], axis=1)
        # (s * PAIRS,): two steps at once.
        self.pairs: States = single[single].reshape(-1)
        self.plain_states = tables.plain_states
        # (plain states * 9,): the state that a plain state leads to after any 0 to 8 digits.
        chain = np.empty((max(tables.plain_states, 1), 9), np.uint16)
        chain[:, 0] = np.arange(len(chain))
        for further in range(1, 9):
            chain[:, further] = tables.step[chain[:, further - 1], 0]
        self.chain: States = chain.reshape(-1)
        self.outcome = tables.outcome

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return self.pairs.nbytes + self.chain.nbytes

    def walk(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints, states: States) -> States:
        """The state after the digits of each row, at most ROOM of them, from its own start state. All (n,)."""
        keep = keep_masks(lengths)
        values = with_blanks(digit_values(gather(buffer, starts), keep), keep)
        codes = pair_codes(values).view(np.uint8)
        states = self._steps(codes[:, :8], states)
        return self.finish(states, lengths - 8, codes[:, 8:])

    def _steps(self, codes: NDArray[np.uint8], states: States) -> States:
        for column in range(0, 8, 2):
            place = np.multiply(states, PAIRS, dtype=np.int64)
            place += codes[:, column]
            states = self.pairs.take(place, mode="clip")
        return states

    def finish(self, states: States, further: Ints, codes: NDArray[np.uint8]) -> States:
        """Walks from the states after the first eight digits to the end. `further`: how many follow; `codes`: they.

        Most states are plain by then, and only the number of digits counts.
        """
        place = np.multiply(states, 9, dtype=np.int64)
        place += np.maximum(further, 0)
        ended = self.chain.take(place, mode="clip")
        open_rows = np.flatnonzero(states >= self.plain_states)
        if len(open_rows):
            ended[open_rows] = self._steps(codes[open_rows], states[open_rows])
        return ended
