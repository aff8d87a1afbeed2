"""Cells that hold numbers: what a spreadsheet did to them is repaired where certain, then the plan is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import NumberColumn, ParseError, Plan, PossibleReason
from bossjy_server.imports import arrow
from bossjy_server.imports.arrow import TextColumn
from bossjy_server.imports.layout import RejectReason

# `1.38E+10`: the digits behind the point are all that is left of the number.
_ROUNDED = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}$"
# `13800000000.0`: a number cell read as a decimal. Nothing is lost.
_DECIMAL = r"^([+]?[0-9]{5,})[.]0+$"
# `'13800000000` and `="13800000000"`: how spreadsheets are told that digits are text.
_AS_TEXT = r"^(?:=\"([^\"]*)\"|['’`]+\s*(.*?))$"
_POINT = 0x2E
_LETTERS_E = (0x45, 0x65)

_REASON_OF_ERROR = np.zeros(256, np.uint8)
_REASON_OF_ERROR[ParseError.INVALID_COUNTRY_CODE] = RejectReason.INVALID_COUNTRY_CODE
_REASON_OF_ERROR[ParseError.NOT_A_NUMBER] = RejectReason.NOT_A_NUMBER
_REASON_OF_ERROR[ParseError.TOO_SHORT_AFTER_IDD] = RejectReason.TOO_SHORT
_REASON_OF_ERROR[ParseError.TOO_SHORT_NSN] = RejectReason.TOO_SHORT
_REASON_OF_ERROR[ParseError.TOO_LONG] = RejectReason.TOO_LONG
_REASON_OF_LENGTH = np.full(256, RejectReason.NOT_A_NUMBER, np.uint8)
_REASON_OF_LENGTH[PossibleReason.IS_POSSIBLE] = RejectReason.NOT_IN_PLAN
_REASON_OF_LENGTH[PossibleReason.INVALID_COUNTRY_CODE] = RejectReason.INVALID_COUNTRY_CODE
_REASON_OF_LENGTH[PossibleReason.TOO_SHORT] = RejectReason.TOO_SHORT
_REASON_OF_LENGTH[PossibleReason.TOO_LONG] = RejectReason.TOO_LONG
_REASON_OF_LENGTH[PossibleReason.IS_POSSIBLE_LOCAL_ONLY] = RejectReason.LOCAL_ONLY
_REASON_OF_LENGTH[PossibleReason.INVALID_LENGTH] = RejectReason.INVALID_LENGTH


@dataclass(frozen=True, slots=True)
class CheckedNumbers:
    """The answers for n cells, shapes (n,). `reason` is 0 where the number is valid; then the rest says something."""

    reason: NDArray[np.uint8]
    e164: TextColumn
    region: TextColumn
    type: NDArray[np.int16]
    column: NumberColumn


def check_numbers(cells: TextColumn, plan: Plan, regions: str | Sequence[str | None] | None) -> CheckedNumbers:
    """What the plan says of trimmed cells; `regions` as for `Plan.column`."""
    repaired = repair(cells)
    column = plan.column(repaired, regions)
    reason = np.where(column.error != 0, _REASON_OF_ERROR[column.error], _REASON_OF_LENGTH[column.possible_reason])
    reason[column.valid] = 0
    if np.isin(arrow.bytes_of(repaired), _LETTERS_E).any():
        reason[arrow.matches(repaired, _ROUNDED) & ~column.valid] = RejectReason.PRECISION_LOST
    reason[arrow.is_empty(repaired)] = RejectReason.PHONE_EMPTY
    return CheckedNumbers(
        reason,
        arrow.from_buffers(column.e164_offsets, column.e164_data),
        arrow.from_codes(column.region, column.regions),
        column.type.astype(np.int16),
        column,
    )


def repair(cells: TextColumn) -> TextColumn:
    """Undo what a spreadsheet did, where nothing was lost: a leading apostrophe, `="…"`, a trailing `.0`."""
    as_text = np.zeros(len(cells), np.bool_)
    for sign in ("'", "=", "’", "`"):
        as_text |= arrow.starts_with(cells, sign)
    cells = arrow.replaced_where(cells, as_text, _AS_TEXT, r"\1\2")
    if not (arrow.bytes_of(cells) == _POINT).any():
        return cells
    return arrow.replaced_where(cells, arrow.ends_with(cells, "0"), _DECIMAL, r"\1")


def suggest(text: str, reason: int, plan: Plan, region: str | None) -> str:
    """A number that the cell may have meant, in E.164; empty where none of the usual slips explains it."""
    if reason in (RejectReason.PHONE_EMPTY, RejectReason.PRECISION_LOST):
        return ""
    digits = "".join(character for character in text if character.isdecimal())
    if not 5 <= len(digits) <= 20:
        return ""
    # The plus is missing; a spreadsheet took the leading zero; a zero too many.
    for attempt in (f"+{digits.lstrip('0')}", f"0{digits}", digits.lstrip("0")):
        number = plan.number(attempt, region)
        if number.valid:
            return number.e164
    return ""
