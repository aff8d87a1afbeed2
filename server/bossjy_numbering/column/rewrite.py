"""Rewriting of digits to E.164 by their leading digits, for rows where these are enough.

A plus stays; an international prefix becomes one; the region's calling code is put before a national number, in place
of its national prefix if it has one. `clean.py` reads the rows that are clean E.164 afterwards. Rows that two digits do
not decide, and rows that are doubtful when they are read, take the slow path (`dial.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.columns import Layout
from bossjy_numbering.column.emit import slots_of
from bossjy_numbering.column.leading_digits import UNDECIDED, leading_digits_of, lengths_by_two_digits
from bossjy_numbering.column.packed_digits import Flags, Ints, Words
from bossjy_numbering.prefix import NO_PREFIX, REWRITES
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import NumberType

# In place of a region: _ANY needs no check; _NEVER takes another path.
_ANY, _NEVER = -2, -3
_FIFTEEN = np.uint8(15)  # the bits of an ASCII digit's value


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Rows as E.164, each in three words padded with zeros, (n, 3); their sizes in bytes, (n,)."""

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
        """The start of each row in the buffer."""
        return np.arange(0, self.slots.nbytes, self.slots.itemsize * self.slots.shape[1])

    def fits(self, said: Words) -> Flags:
        """True for rows whose result is valid for the original digits. (n,)."""
        # Rules 14 and 15: a prefix stays off if the rest is a number of that very region.
        valid = said.view(np.uint8)[4::8] != NumberType.UNKNOWN
        fitting: Flags = (self.region == _ANY) | (valid & (said.view(np.int16)[1::4] == self.region))
        return fitting


class Rewriter:
    """The tables of a plan, in the layout for rewriting. Immutable: threads may share it."""

    def __init__(self, tables: Tables, layout: Layout) -> None:
        regions = tables.regions
        codes = tables.calling_codes.astype(np.int64)[[region.calling_code_index for region in regions]]
        heads = [b"+", *(f"+{code}".encode("ascii") for code in codes.tolist())]
        # Index 0 is only a plus; the others are a region's position plus one.
        self._heads = np.array([int.from_bytes(head, "little") for head in heads], np.uint64)
        self._head_sizes = np.array([len(head) for head in heads], np.uint64)
        national = lengths_by_two_digits(tables, np.array([region.national_prefix_state for region in regions]))
        abroad = lengths_by_two_digits(tables, np.array([region.international_prefix_state for region in regions]))
        position = np.repeat(np.arange(len(regions)), 100)
        own = np.array([layout.region_index[region.code] for region in regions], np.int16)[position]
        is_abroad = (abroad != NO_PREFIX) & (abroad != UNDECIDED) & (abroad != REWRITES)
        bare = (abroad == NO_PREFIX) & ~leading_digits_of(codes)
        is_prefixed = bare & (national != NO_PREFIX) & (national != UNDECIDED) & (national != REWRITES)
        is_plain = bare & (national == NO_PREFIX)
        # All by a region's position and two digits, (r * 100,), then one entry for a plus and one for no region.
        self._plus, self._none = len(position), len(position) + 1
        self._strip = np.append(np.where(is_abroad, abroad, np.where(is_prefixed, national, 0)), [0, 0])
        self._head = np.append(np.where(is_abroad, 0, position + 1), [0, 0])
        checked = np.where(is_prefixed, own, np.where(is_abroad | is_plain, _ANY, _NEVER))
        self._region = np.append(checked, [_ANY, _NEVER]).astype(np.int16)

    def rewrite(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints, plus: Flags, region: Ints) -> Rewritten:
        """Rows of digits in a buffer, as `Dialler.dial` takes them. All (n,)."""
        # A byte other than a digit follows a row's last digit. Rows of one digit are never numbers.
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
