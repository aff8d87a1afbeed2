"""The short way for rows that already are E.164: a `+`, 8 to 16 digits, nothing to strip.

Most columns hold mostly such rows, so this way is laid out for them alone: one read of each row, the first four
digits in one step, and no row is moved. Whatever is in doubt goes the long way (`dial.py`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import words
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.words import PAIRS, ROOM, Flags, Ints, Walker
from bossjy_numbering.prefix import NO_PREFIX
from bossjy_numbering.tables import Tables

_LEAST = 8
_PLUS = ord("+")
# Added to a calling code's position while a national prefix is possible. No calling code: more than that.
_DOUBTFUL = 2**14
_NO_CODE = 2 * _DOUBTFUL
# Eight digits as four pair codes; this product has, in its third and fourth byte, the code of the first four digits.
_QUAD = np.uint64(PAIRS << 16 | 1)
_SIXTEEN, _THIRTY_TWO, _FORTY_EIGHT = np.uint64(16), np.uint64(32), np.uint64(48)
_LOW_SIXTEEN = np.uint64(0xFFFF)
_LOW_EIGHT = np.uint64(0xFF)


# Clean rows, codes, outcomes and lengths of national numbers, all (n,).
CleanRows: TypeAlias = tuple[Flags, Ints, NDArray[np.uint16], Ints]


class CleanReader:
    """The first four digits of E.164, calling code included, as one step."""

    def __init__(self, tables: Tables, walker: Walker, dialler: Dialler) -> None:
        self._walker = walker
        self._outcome = tables.outcome
        self._code_length = dialler.code_length
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
        # By state: whether there is no national prefix, whatever follows.
        self._no_prefix: Flags = (tables.step[:, 0] == np.arange(tables.state_count)) & (tables.outcome == NO_PREFIX)
        doubtful = (prefix >= 0) & ~self._no_prefix[prefix]
        places = digits[0] * 11**3 + digits[1] * 11**2 + digits[2] * 11 + digits[3]
        self._state = np.zeros(11**4, np.int64)
        self._state[places] = state * PAIRS
        self._code = np.full(11**4, _NO_CODE, np.int64)
        self._code[places] = np.where(code < 0, _NO_CODE, np.where(doubtful, code + _DOUBTFUL, code))
        # For the doubtful: the state of the national prefix behind four digits.
        self._prefix = np.zeros(11**4, np.int64)
        self._prefix[places] = np.where(doubtful & (code >= 0), prefix * PAIRS, 0)

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return self._state.nbytes + self._code.nbytes + self._prefix.nbytes + self._no_prefix.nbytes

    def read(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> CleanRows:
        """Reads rows of text. Shapes: buffer (bytes + PADDING,), starts and lengths (n,) in bytes.

        Returns, all (n,): whether the row was clean; position of its calling code; its outcome; the length of its
        national number. What stands for rows that were not clean says nothing.
        """
        plus = buffer.take(starts) == _PLUS
        lengths = lengths - 1
        keep = words.keep_masks(lengths)
        values = words.digit_values(words.gather(buffer, starts + 1), keep)
        codes = words.pair_codes(values[:, 0])
        quad = codes * _QUAD
        np.right_shift(quad, _SIXTEEN, out=quad)
        np.bitwise_and(quad, _LOW_SIXTEEN, out=quad)
        first = quad.view(np.int64)
        place = self._state.take(first, mode="clip")
        code = self._code.take(first, mode="clip")
        self._settle_doubts(code, first, codes)
        np.right_shift(codes, _THIRTY_TWO, out=quad)
        np.bitwise_and(quad, _LOW_EIGHT, out=quad)
        place += first
        state = self._walker.pairs.take(place, mode="clip")
        np.multiply(state, PAIRS, out=place, dtype=np.int64)
        np.right_shift(codes, _FORTY_EIGHT, out=quad)
        place += first
        state = self._walker.pairs.take(place, mode="clip")
        plus &= ~words.not_digits(values)
        plus &= (lengths >= _LEAST) & (lengths <= ROOM)
        plus &= code < _DOUBTFUL
        state = self._end(state, values, keep, lengths)
        lengths -= self._code_length.take(code, mode="clip")
        return plus, code, self._outcome.take(state), lengths

    def _settle_doubts(self, code: Ints, first: Ints, codes: words.Words) -> None:
        """Four digits may begin a national prefix; two more mostly tell that they do not. Else the long way decides."""
        rows = np.flatnonzero(code >= _DOUBTFUL)
        if len(rows):
            place = self._prefix.take(first[rows], mode="clip")
            place += (np.right_shift(codes[rows], _THIRTY_TWO) & _LOW_EIGHT).view(np.int64)
            settled = self._no_prefix.take(self._walker.pairs.take(place, mode="clip"))
            code[rows[settled]] -= _DOUBTFUL

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
