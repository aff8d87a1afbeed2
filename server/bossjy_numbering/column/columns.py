"""Arrays of a NumberColumn while it is filled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.packed_digits import Ints, Words
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.tables import LENGTHS, NO_REGION, Tables
from bossjy_numbering.types import Number, NumberType, PossibleReason


@dataclass(frozen=True, slots=True)
class Layout:
    """A plan's tables in the form that columns read. c calling codes, o outcomes."""

    regions: tuple[str, ...]
    region_index: dict[str, int]
    outcomes: int
    # By calling code.
    calling_code: NDArray[np.uint16]
    # (c * o,): index into `regions`, -1 for none.
    region: NDArray[np.int16]
    # By outcome.
    type: NDArray[np.uint8]
    # By calling code, then length: (c * LENGTHS,).
    possible_reason: NDArray[np.uint8]

    def say(self, code: Ints, outcome: NDArray[np.uint16], lengths: Ints) -> Words:
        """The results for numbers, each packed in a word for `Columns.put_said`. All (n,)."""
        said = np.zeros(len(code), np.uint64)
        said.view(np.uint16)[0::4] = self.calling_code[code]
        said.view(np.int16)[1::4] = self.region[code * self.outcomes + outcome]
        said.view(np.uint8)[4::8] = self.type[outcome]
        said.view(np.uint8)[5::8] = self.possible_reason[code * LENGTHS + lengths]
        return said


def _look_up(table: NDArray[Any], places: NDArray[Any], column: NDArray[Any], rows: Ints | slice) -> None:
    """Writes `table[places]` into rows of a column. A slice is written without an intermediate copy."""
    if isinstance(rows, slice):
        np.take(table, places, out=column[rows], mode="clip")
    else:
        column[rows] = table.take(places, mode="clip")


class Columns:
    """Arrays that are filled in any order; each row once."""

    def __init__(self, count: int, layout: Layout) -> None:
        self._layout = layout
        self._error = np.zeros(count, np.uint8)
        self._calling_code = np.empty(count, np.uint16)
        self._region = np.empty(count, np.int16)
        self._type = np.empty(count, np.uint8)
        self._possible_reason = np.empty(count, np.uint8)
        self._slow = np.zeros(count, np.bool_)
        self._single = np.zeros(count, np.bool_)
        self._extensions: dict[int, str] = {}

    @staticmethod
    def layout(tables: Tables) -> Layout:
        """Lays out a plan's tables."""
        names = tuple(sorted({region.code for region in tables.regions}))
        index = {code: position for position, code in enumerate(names)}
        named = np.array([index[region.code] for region in tables.regions] + [-1], np.int16)
        position = tables.main_region.astype(np.int64)[:, None] + tables.outcome_region
        position[:, tables.outcome_region == NO_REGION] = len(tables.regions)
        return Layout(
            regions=names,
            region_index=index,
            outcomes=len(tables.outcome_type),
            calling_code=tables.calling_codes,
            region=named[position.clip(max=len(tables.regions))].reshape(-1),
            type=tables.outcome_type,
            possible_reason=tables.possible_reason[tables.main_region].reshape(-1),
        )

    def put(self, rows: Ints | slice, code: Ints, outcome: NDArray[np.uint16], lengths: Ints) -> None:
        """Numbers: calling code (position), outcome, length of the national number. A slice may include other rows."""
        layout = self._layout
        _look_up(layout.calling_code, code, self._calling_code, rows)
        _look_up(layout.type, outcome, self._type, rows)
        place = code * layout.outcomes
        place += outcome
        _look_up(layout.region, place, self._region, rows)
        np.multiply(code, LENGTHS, out=place)
        place += lengths
        _look_up(layout.possible_reason, place, self._possible_reason, rows)

    def put_said(self, rows: Ints | slice, said: Words) -> None:
        """Numbers as `Layout.say` packs them. A slice may include other rows, which are written later."""
        self._calling_code[rows] = said.view(np.uint16)[0::4]
        self._region[rows] = said.view(np.int16)[1::4]
        self._type[rows] = said.view(np.uint8)[4::8]
        self._possible_reason[rows] = said.view(np.uint8)[5::8]

    def refuse(self, rows: Ints, errors: NDArray[np.uint8]) -> None:
        """Rows that are not numbers."""
        self._error[rows] = errors
        self._calling_code[rows] = 0
        self._region[rows] = -1
        self._type[rows] = NumberType.UNKNOWN
        self._possible_reason[rows] = PossibleReason.NOT_PARSED

    def mark_slow(self, rows: Ints) -> None:
        """Rows with more than digits and punctuation."""
        self._slow[rows] = True

    def put_extensions(self, rows: Ints, texts: Iterable[str]) -> None:
        """Extensions of rows that are numbers."""
        self._extensions.update(zip(rows.tolist(), texts, strict=True))

    def put_answers(self, rows: Ints, numbers: Sequence[Number]) -> None:
        """Rows that were read one by one."""
        self._slow[rows] = True
        self._single[rows] = True
        self._error[rows] = [number.error for number in numbers]
        self._calling_code[rows] = [number.calling_code for number in numbers]
        index = self._layout.region_index
        self._region[rows] = [index.get(number.region or "", -1) for number in numbers]
        self._type[rows] = [number.type for number in numbers]
        self._possible_reason[rows] = [number.possible_reason for number in numbers]
        for row, number in zip(rows.tolist(), numbers, strict=True):
            if number.extension is not None:
                self._extensions[row] = number.extension

    def done(self, e164_offsets: NDArray[np.int32] | NDArray[np.int64], e164_data: NDArray[np.uint8]) -> NumberColumn:
        """The column."""
        has_extension = np.zeros(len(self._error), np.bool_)
        has_extension[list(self._extensions)] = True
        return NumberColumn(
            error=self._error,
            calling_code=self._calling_code,
            region=self._region,
            regions=self._layout.regions,
            type=self._type,
            valid=self._type != NumberType.UNKNOWN,
            possible_reason=self._possible_reason,
            has_extension=has_extension,
            slow=self._slow,
            single=self._single,
            e164_offsets=e164_offsets,
            e164_data=e164_data,
            extensions=self._extensions,
        )
