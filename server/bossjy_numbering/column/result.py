"""Answers for a column of numbers: arrays of equal length, and Arrow-compatible text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.values import national_numbers
from bossjy_numbering.types import Number, NumberType, ParseError, PossibleReason, not_a_number

# No E.164 text is longer: `+`, a calling code of three digits and a national number of seventeen.
LONGEST_E164 = 21


@dataclass(frozen=True, repr=False)
class NumberColumn:
    """The answers for n texts. If `error[i]` is not 0, the text is not a number and the other fields are meaningless.

    Shapes are (n,) unless said otherwise. `e164_offsets` (n + 1,) and `e164_data` (bytes,) are the buffers of an
    Arrow string array (int32 offsets) or large string array (int64, for columns beyond some 100 million rows).
    """

    # ParseError.
    error: NDArray[np.uint8]
    # 0 if the text is not a number.
    calling_code: NDArray[np.uint16]
    # Index into `regions`, -1 for none; `phonenumbers.region_code_for_number`, so some invalid numbers have one too.
    region: NDArray[np.int16]
    regions: tuple[str, ...]
    # NumberType; UNKNOWN (99) for numbers that are not valid.
    type: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    # PossibleReason; NOT_PARSED (255) if the text is not a number.
    possible_reason: NDArray[np.uint8]
    has_extension: NDArray[np.bool_]
    # True if the text contains more than digits and punctuation (an extension, letters after the start of the number),
    # or if the row was read one by one. Only such rows can be doubtful (`corrections/doubts.py`).
    slow: NDArray[np.bool_]
    # True if the row was read one by one, by `phonenumbers` itself or by the rules for a single text.
    single: NDArray[np.bool_]
    e164_offsets: NDArray[np.int32] | NDArray[np.int64]
    e164_data: NDArray[np.uint8]
    # Extension digits of the rows that have one.
    extensions: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.error)

    @property
    def slow_count(self) -> int:
        """The number of rows that were read one by one."""
        return int(np.count_nonzero(self.single))

    @property
    def possible(self) -> NDArray[np.bool_]:
        """`phonenumbers.is_possible_number` of each row."""
        possible: NDArray[np.bool_] = self.possible_reason == PossibleReason.IS_POSSIBLE
        possible |= self.possible_reason == PossibleReason.IS_POSSIBLE_LOCAL_ONLY
        return possible

    @cached_property
    def national_number(self) -> NDArray[np.uint64]:
        """The value of the digits after the calling code, read from E.164 at the first access; 0 for errors."""
        return self._national[0]

    @cached_property
    def leading_zeros(self) -> NDArray[np.uint8]:
        """The number of zeros before `national_number`. The last zero of an all-zero number is its value."""
        return self._national[1]

    @cached_property
    def _national(self) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        code = self.calling_code
        head = 2 + (code >= 10).astype(np.int64) + (code >= 100)
        starts = self.e164_offsets[:-1] + head
        return national_numbers(self.e164_data, starts, self.e164_offsets[1:] - starts)

    @property
    def e164(self) -> list[str]:
        """E.164 of each row as str; empty for errors. For many rows prefer the buffers."""
        text = self.e164_data.tobytes().decode("ascii")
        ends = self.e164_offsets.tolist()
        return [text[ends[row] : ends[row + 1]] for row in range(len(self))]

    def number(self, row: int) -> Number:
        """One row as a Number."""
        error = ParseError(int(self.error[row]))
        if error != ParseError.NONE:
            return not_a_number(error)
        region = int(self.region[row])
        reason = PossibleReason(int(self.possible_reason[row]))
        code = int(self.calling_code[row])
        e164 = self.e164_data[self.e164_offsets[row] : self.e164_offsets[row + 1]].tobytes().decode("ascii")
        digits = e164[1 + len(str(code)) :]
        value = int(digits)
        zeros = len(digits) - len(str(value))
        return Number(
            calling_code=code,
            national_number=value,
            italian_leading_zero=zeros > 0,
            number_of_leading_zeros=zeros,
            extension=self.extensions.get(row),
            e164=e164,
            region=None if region < 0 else self.regions[region],
            type=NumberType(int(self.type[row])),
            valid=bool(self.valid[row]),
            possible=reason in (PossibleReason.IS_POSSIBLE, PossibleReason.IS_POSSIBLE_LOCAL_ONLY),
            possible_reason=reason,
            error=error,
        )
