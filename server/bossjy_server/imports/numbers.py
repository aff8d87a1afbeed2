"""Cells that hold numbers: what a spreadsheet did to them is repaired where certain, then the plan is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bossjy_numbering import ParseError, Plan, PossibleReason
from bossjy_server.imports.layout import RejectReason

# `1.38E+10`: the digits behind the point are all that is left of the number.
_ROUNDED = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}$"
# `13800000000.0`: a number cell read as a decimal. Nothing is lost.
_DECIMAL = r"^([+]?[0-9]{5,})[.]0+$"
# `'13800000000` and `="13800000000"`: how spreadsheets are told that digits are text.
_AS_TEXT = r"^(?:=\"([^\"]*)\"|['’`]+\s*(.*?))$"

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
    e164: pa.StringArray
    region: pa.StringArray
    type: NDArray[np.int16]


def check_numbers(cells: pa.StringArray, plan: Plan, regions: str | Sequence[str | None] | None) -> CheckedNumbers:
    """What the plan says of trimmed cells; `regions` as for `Plan.column`."""
    repaired = repair(cells)
    column = plan.column(repaired, regions)
    reason = np.where(
        column.error != 0, _REASON_OF_ERROR[column.error], _REASON_OF_LENGTH[column.possible_reason]
    ).astype(np.uint8)
    reason[column.valid] = 0
    reason[~column.valid & _matches(repaired, "e", "E", _ROUNDED)] = RejectReason.PRECISION_LOST
    reason[pc.binary_length(repaired).to_numpy() == 0] = RejectReason.PHONE_EMPTY
    e164 = pa.Array.from_buffers(
        pa.string() if column.e164_offsets.dtype.itemsize == 4 else pa.large_string(),
        len(column),
        [None, pa.py_buffer(column.e164_offsets), pa.py_buffer(column.e164_data)],
    )
    codes = pa.array(column.region, mask=column.region < 0)
    region = pa.DictionaryArray.from_arrays(codes, pa.array(column.regions, pa.string())).cast(pa.string())
    return CheckedNumbers(reason, e164, region, column.type.astype(np.int16))


def repair(cells: pa.StringArray) -> pa.StringArray:
    """Undo what a spreadsheet did, where nothing was lost: a leading apostrophe, `="…"`, a trailing `.0`."""
    as_text = pc.or_(pc.starts_with(cells, "'"), pc.or_(pc.starts_with(cells, "="), pc.starts_with(cells, "’")))
    cells = _replaced(cells, as_text, _AS_TEXT, r"\1\2")
    return _replaced(cells, pc.ends_with(cells, "0"), _DECIMAL, r"\1") if _has_text(cells, b".0") else cells


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


def _replaced(cells: pa.StringArray, where: pa.BooleanArray, pattern: str, by: str) -> pa.StringArray:
    if not pc.any(where).as_py():
        return cells
    changed = pc.replace_substring_regex(cells.filter(where), pattern, by)
    return pc.replace_with_mask(cells, where, changed)


def _matches(cells: pa.StringArray, letter: str, capital: str, pattern: str) -> NDArray[np.bool_]:
    if not (_has_text(cells, letter.encode()) or _has_text(cells, capital.encode())):
        return np.zeros(len(cells), np.bool_)
    return pc.match_substring_regex(cells, pattern).to_numpy(zero_copy_only=False)


def _has_text(cells: pa.StringArray, text: bytes) -> bool:
    data = cells.buffers()[2]
    return data is not None and text in memoryview(data).tobytes()
