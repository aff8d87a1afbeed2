"""Digits as E.164 by one look at how they begin, for the rows where that is enough.

A plus is left as it is; an international prefix becomes one; before a national number goes the region's calling code,
in place of its national prefix if it has one. What then is clean E.164 is read as such (`clean.py`). What two digits
do not decide, and what is doubted when it is read, goes the long way (`dial.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.beginnings import UNDECIDED, beginnings_of, lengths_by_two_digits
from bossjy_numbering.column.columns import Layout
from bossjy_numbering.column.emit import slots_of
from bossjy_numbering.column.words import Flags, Ints, Words
from bossjy_numbering.prefix import NO_PREFIX, REWRITES
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import NumberType

# In place of a region: nothing is to be checked; the row is to be read another way.
_ANY, _NEVER = -2, -3
_FIFTEEN = np.uint8(15)  # the bits of an ASCII digit's value


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Rows as E.164, each in three words with zeros behind it, (n, 3); their sizes in bytes, (n,)."""

    slots: Words
    sizes: Ints
    # The region in which a number must be valid (index into `Layout.regions`), _ANY or _NEVER; (n,).
    region: NDArray[np.int16]

    @property
    def buffer(self) -> NDArray[np.uint8]:
        """The slots as bytes."""
        return self.slots.view(np.uint8).reshape(-1)

    @property
    def starts(self) -> Ints:
        """Where each row begins in the buffer."""
        return np.arange(0, self.slots.nbytes, self.slots.itemsize * self.slots.shape[1])

    def fits(self, said: Words) -> Flags:
        """Whether what was read of rows holds for the digits as they were given. (n,)."""
        # Rules 14 and 15: a prefix stays off where the rest is a number of the very region.
        valid = said.view(np.uint8)[4::8] != NumberType.UNKNOWN
        fitting: Flags = (self.region == _ANY) | (valid & (said.view(np.int16)[1::4] == self.region))
        return fitting


class Rewriter:
    """The tables of a plan, laid out for rewriting. Immutable: threads may share it."""

    def __init__(self, tables: Tables, layout: Layout) -> None:
        regions = tables.regions
        codes = tables.calling_codes.astype(np.int64)[[region.calling_code_index for region in regions]]
        heads = [b"+", *(f"+{code}".encode("ascii") for code in codes.tolist())]
        # By 0 for a plus alone, or a region's position and one more.
        self._heads = np.array([int.from_bytes(head, "little") for head in heads], np.uint64)
        self._head_sizes = np.array([len(head) for head in heads], np.uint64)
        national = lengths_by_two_digits(tables, np.array([region.national_prefix_state for region in regions]))
        abroad = lengths_by_two_digits(tables, np.array([region.international_prefix_state for region in regions]))
        position = np.repeat(np.arange(len(regions)), 100)
        own = np.array([layout.region_index[region.code] for region in regions], np.int16)[position]
        is_abroad = (abroad != NO_PREFIX) & (abroad != UNDECIDED) & (abroad != REWRITES)
        bare = (abroad == NO_PREFIX) & ~beginnings_of(codes)
        is_prefixed = bare & (national != NO_PREFIX) & (national != UNDECIDED) & (national != REWRITES)
        is_plain = bare & (national == NO_PREFIX)
        # All by a region's position and two digits, (r * 100,), and behind them one for a plus and one for no region.
        self._plus, self._none = len(position), len(position) + 1
        self._strip = np.append(np.where(is_abroad, abroad, np.where(is_prefixed, national, 0)), [0, 0])
        self._head = np.append(np.where(is_abroad, 0, position + 1), [0, 0])
        checked = np.where(is_prefixed, own, np.where(is_abroad | is_plain, _ANY, _NEVER))
        self._region = np.append(checked, [_ANY, _NEVER]).astype(np.int16)

    def rewrite(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints, plus: Flags, region: Ints) -> Rewritten:
        """Rows of digits in a buffer, as `Dialler.dial` takes them. All (n,)."""
        # What is no digit stands behind a row's last one; rows of one digit are numbers nowhere.
        place = region * 100
        place += (buffer.take(starts) & _FIFTEEN) * np.int64(10)
        place += buffer.take(starts + 1) & _FIFTEEN
        place[region < 0] = self._none
        place[plus] = self._plus
        strip, head = self._strip.take(place, mode="clip"), self._head.take(place, mode="clip")
        sizes = self._head_sizes.take(head)
        lengths = lengths - strip
        slots = slots_of(self._heads.take(head), sizes, buffer, starts + strip, lengths.clip(min=0))
        lengths += sizes.view(np.int64)
        return Rewritten(slots, lengths, self._region.take(place, mode="clip"))
