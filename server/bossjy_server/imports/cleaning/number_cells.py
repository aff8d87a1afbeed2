"""Number cells: certain changes by a spreadsheet are repaired, then the plan checks the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import Doubt, NumberColumn, ParseError, Plan, PossibleReason, column_doubts, finish
from bossjy_numbering.corrections import QUESTIONABLE, written_out
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.layout import RejectReason

# `1.38E+10` and `1.3800138E10`: number cells in exponent form. Only the first has lost digits.
_EXPONENT = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}$"
# `13800000000.0`: a number cell read as a decimal. Nothing is lost.
_DECIMAL = r"^([+]?[0-9]{5,})[.]0+$"
# `'13800000000` and `="13800000000"`: marks in spreadsheets for digits that are text.
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
    """The answers for n cells, shapes (n,). If the number is valid, `reason` is 0 and the other fields are set."""

    reason: NDArray[np.uint8]
    e164: TextColumn
    region: TextColumn
    type: NDArray[np.int16]
    column: NumberColumn
    # Bits of Doubt.
    doubts: NDArray[np.uint16]

    def warnings(self) -> TextColumn:
        """The names of the doubts by which each number may be a different one, separated by spaces; mostly empty."""
        names = {doubts: _names(doubts) for doubts in np.unique(self.doubts & int(QUESTIONABLE)).tolist()}
        codes = np.searchsorted(list(names), self.doubts & int(QUESTIONABLE))
        return arrow.from_codes(codes, list(names.values()))


def check_numbers(
    cells: TextColumn, plan: Plan, regions: str | Sequence[str | None] | None, *, keep_doubtful: bool = False
) -> CheckedNumbers:
    """The plan's answers for trimmed cells; `regions` as for `Plan.column`.

    `keep_doubtful`: valid numbers are not rejected if the cell more likely means another number.
    """
    repaired = repair(cells)
    column = plan.column(repaired, regions)
    reason = np.where(column.error != 0, _REASON_OF_ERROR[column.error], _REASON_OF_LENGTH[column.possible_reason])
    reason[column.valid] = 0
    if np.isin(arrow.bytes_of(repaired), _LETTERS_E).any():
        reason[arrow.matches(repaired, _EXPONENT)] = RejectReason.PRECISION_LOST
    reason[arrow.is_empty(repaired)] = RejectReason.PHONE_EMPTY
    doubts = finish(column_doubts(repaired, column))
    if not keep_doubtful:
        rows = np.flatnonzero((reason == 0) & (doubts & int(QUESTIONABLE) != 0))
        reason[_doubtful(repaired, rows, plan, regions)] = RejectReason.DOUBTFUL_NUMBER
    return CheckedNumbers(
        reason,
        arrow.from_buffers(column.e164_offsets, column.e164_data),
        arrow.from_codes(column.region, column.regions),
        column.type.astype(np.int16),
        column,
        doubts,
    )


def repair(cells: TextColumn) -> TextColumn:
    """Undo changes by a spreadsheet, if nothing was lost: a leading apostrophe, `="…"`, a trailing `.0`."""
    as_text = np.zeros(len(cells), np.bool_)
    for sign in ("'", "=", "’", "`"):
        as_text |= arrow.starts_with(cells, sign)
    cells = _written_out(arrow.replaced_where(cells, as_text, _AS_TEXT, r"\1\2"))
    if not (arrow.bytes_of(cells) == _POINT).any():
        return cells
    return arrow.replaced_where(cells, arrow.ends_with(cells, "0"), _DECIMAL, r"\1")


def _written_out(cells: TextColumn) -> TextColumn:
    """Cells in exponent form without lost digits, as digits."""
    if not np.isin(arrow.bytes_of(cells), _LETTERS_E).any():
        return cells
    texts: dict[int, str] = {}
    for row in np.flatnonzero(arrow.matches(cells, _EXPONENT)).tolist():
        digits = written_out(str(cells[row]))
        if digits:
            texts[row] = digits
    if not texts:
        return cells
    return arrow.text_column(texts.get(row, text or "") for row, text in enumerate(cells.to_pylist()))


def _doubtful(
    cells: TextColumn, rows: NDArray[np.intp], plan: Plan, regions: str | Sequence[str | None] | None
) -> list[int]:
    """Those of some rows with questionable readings whose cell more likely means another number."""
    return [row for row in rows.tolist() if plan.diagnose(str(cells[row]), _region(regions, row)).fixes]


def _names(doubts: int) -> str:
    return " ".join(str(doubt.name) for doubt in Doubt(doubts))


def _region(regions: str | Sequence[str | None] | None, row: int) -> str | None:
    return regions if regions is None or isinstance(regions, str) else regions[row]


def judged(text: str, reason: int, plan: Plan, region: str | None) -> tuple[int, str]:
    """The more exact reason to reject a cell, and the first correction in E.164; '' if there is none.

    The correction is the one that ExplainNumber gives for the cell and region.
    """
    if reason in (RejectReason.PHONE_EMPTY, RejectReason.PRECISION_LOST):
        return reason, ""
    diagnosis = plan.diagnose(text, region)
    suggestion = diagnosis.fixes[0].number.e164 if diagnosis.fixes else ""
    if len(diagnosis.numbers) > 1:
        return RejectReason.SEVERAL_NUMBERS, suggestion
    return (RejectReason.SHORT_NUMBER if diagnosis.short else reason), suggestion
