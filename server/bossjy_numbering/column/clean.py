"""The short way for rows that already are E.164: a `+`, 8 to 16 digits, nothing to strip.

Most columns hold mostly such rows, so this way is laid out for them alone: one read of each row, the first four
digits in one step, and no row is moved. Whatever is in doubt goes the long way (`dial.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import words
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.words import PAIRS, ROOM, Flags, Ints, Walker
from bossjy_numbering.prefix import NO_PREFIX
from bossjy_numbering.tables import Tables

_LEAST = 8
_PLUS = ord("+")
_NO_CODE = 255
# Eight digits as four pair codes; this product has, in its third and fourth byte, the code of the first four digits.
_QUAD = np.uint64(PAIRS << 16 | 1)
_LOW_SIXTEEN = np.uint64(0xFFFF)
_LOW_EIGHT = np.uint64(0xFF)


@dataclass(frozen=True, slots=True)
class CleanRows:
    """What was read; all (n,). Where `done` is not set, the rest says nothing."""

    done: Flags
    plus: Flags
    # Where the digits begin, and how many they are.
    starts: Ints
    lengths: Ints
    code: NDArray[np.uint8]
    outcome: NDArray[np.uint16]
    # Whether the row is nothing but digits, at most ROOM of them, behind its plus if it has one.
    only_digits: Flags


class CleanReader:
    """The first four digits of E.164, calling code included, as one step."""

    def __init__(self, tables: Tables, walker: Walker, dialler: Dialler) -> None:
        self._walker = walker
        self._outcome = tables.outcome
        quads = np.arange(10_000)
        digits = np.stack([quads // 1000, quads // 100 % 10, quads // 10 % 10, quads % 10])
        code = dialler.code_by_digits[quads // 10]
        skipped = np.where(code < 0, 4, dialler.code_length[code])
        state = tables.calling_code_state[code].astype(np.int64)
        prefix = np.array([region.national_prefix_state for region in tables.regions], np.int64)
        prefix = prefix[tables.main_region[code]]
        for place in range(4):
            inside = skipped <= place
            state = np.where(inside, tables.step[state, digits[place]], state)
            prefix = np.where(inside & (prefix >= 0), tables.step[prefix, digits[place]], prefix)
        # A national prefix is still possible: the long way decides.
        done = (tables.step[prefix, 0] == prefix) & (tables.outcome[prefix] == NO_PREFIX)
        doubtful = (code < 0) | ((prefix >= 0) & ~done)
        places = digits[0] * 11**3 + digits[1] * 11**2 + digits[2] * 11 + digits[3]
        self._state = np.zeros(11**4, np.int64)
        self._state[places] = state * PAIRS
        self._code = np.full(11**4, _NO_CODE, np.uint8)
        self._code[places] = np.where(doubtful, _NO_CODE, code)

    def read(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> CleanRows:
        """Reads rows of text. Shapes: buffer (bytes + PADDING,), starts and lengths (n,) in bytes."""
        plus = buffer.take(starts) == _PLUS
        starts, lengths = starts + plus, lengths - plus
        keep = words.keep_masks(lengths)
        values = words.digit_values(words.gather(buffer, starts), keep)
        only_digits = ~words.not_digits(values) & (lengths <= ROOM)
        codes = words.pair_codes(values[:, 0])
        quad = codes * _QUAD
        np.right_shift(quad, np.uint64(16), out=quad)
        np.bitwise_and(quad, _LOW_SIXTEEN, out=quad)
        place = self._state.take(quad.view(np.int64), mode="clip")
        code = self._code.take(quad.view(np.int64), mode="clip")
        place += (np.right_shift(codes, np.uint64(32)) & _LOW_EIGHT).view(np.int64)
        state = self._walker.pairs.take(place, mode="clip")
        np.multiply(state, PAIRS, out=place, dtype=np.int64)
        place += np.right_shift(codes, np.uint64(48)).view(np.int64)
        state = self._walker.pairs.take(place, mode="clip")
        done = only_digits & plus & (lengths >= _LEAST) & (code != _NO_CODE)
        state = self._end(state, values, keep, lengths)
        return CleanRows(done, plus, starts, lengths, code, self._outcome.take(state), only_digits)

    def _end(self, state: words.States, values: words.Words, keep: words.Words, lengths: Ints) -> words.States:
        further = lengths - _LEAST
        place = np.multiply(state, 9, dtype=np.int64)
        place += further
        ended = self._walker.chain.take(place, mode="clip")
        rows = np.flatnonzero(state >= self._walker.plain_states)
        if len(rows):
            rest = words.with_blanks(values[rows], keep[rows])
            codes = words.pair_codes(rest).view(np.uint8)[:, 8:]
            ended[rows] = self._walker.finish(state[rows], further[rows], codes)
        return ended
