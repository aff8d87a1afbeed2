"""Columns of answers as Arrow arrays of types that every engine has: text, bool, signed integers.

Names (type, region, reason) are written from one table of names by index, without a Python object for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.column.texts import TextBuffers, text_buffers
from bossjy_numbering.corrections import QUESTIONABLE, Doubt, column_doubts
from bossjy_numbering.plan import Plan
from bossjy_numbering.steps import finish
from bossjy_numbering.types import InvalidReason, NumberType, ParseError, PossibleReason, invalid_reason

# All columns of answers and their types, which are part of the interface. Unknown values are null.
TYPES: Mapping[str, pa.DataType] = {
    # Also that of a number that is not valid; null if the text is not a number.
    "e164": pa.string(),
    "valid": pa.bool_(),
    # The first problem (InvalidReason); null for a valid number.
    "reason": pa.string(),
    "type": pa.string(),
    "region": pa.string(),
    "calling_code": pa.int16(),
    "national_number": pa.int64(),
    # Zeros before `national_number`.
    "leading_zeros": pa.int8(),
    "possibility": pa.string(),
    "extension": pa.string(),
    # Names of `Doubt`, separated by commas; null if there is none.
    "warnings": pa.string(),
    # The likeliest valid number that a refused or questionable text meant, and how the text was changed (FixKind).
    "correction": pa.string(),
    "correction_kind": pa.string(),
}
# The columns that are added if none are named.
COLUMNS = tuple(TYPES)[:10]
_CORRECTED = frozenset({"correction", "correction_kind"})
_DICTIONARY = pa.dictionary(pa.int16(), pa.string())


def answer_columns(
    plan: Plan, texts: Any, regions: Any, columns: Sequence[str], *, dictionaries: bool
) -> list[pa.Array[Any]]:
    """The columns of answers for an array of texts, in the given order."""
    if pa.types.is_dictionary(texts.type) and _is_one(regions) and len(texts.dictionary) < len(texts):
        # Each different text is read once. The last one is for rows that are null.
        values = pa.concat_arrays([texts.dictionary.cast(pa.large_string()), pa.nulls(1, pa.large_string())])
        rows = texts.indices.cast(pa.int64()).fill_null(len(values) - 1)
        answered = answer_columns(plan, values, regions, columns, dictionaries=dictionaries)
        return [array.take(rows) for array in answered]
    if not _is_one(regions) and pa.types.is_string_view(regions.type):
        regions = regions.cast(pa.large_string())
    return _Answers(plan, text_buffers(texts), regions).arrays(columns, dictionaries=dictionaries)


def _is_one(regions: Any) -> bool:
    return regions is None or isinstance(regions, str)


class _Answers:
    """The answers for the texts of one batch, and the arrays that are made from them."""

    def __init__(self, plan: Plan, texts: TextBuffers, regions: Any) -> None:
        self._plan = plan
        self._texts = texts
        self._regions = regions
        self._values = (texts.offsets, texts.data)
        self._column = plan.column(self._values, regions)
        self._parsed: NDArray[np.bool_] = self._column.error == ParseError.NONE

    def arrays(self, columns: Sequence[str], *, dictionaries: bool) -> list[pa.Array[Any]]:
        column, parsed = self._column, self._parsed
        makers: dict[str, Callable[[], Any]] = {
            "e164": lambda: nulled(e164_texts(column), parsed),
            "valid": lambda: pa.array(column.valid),
            "reason": lambda: named(_REASONS.take(self._reasons()), _names(InvalidReason), ~column.valid),
            "type": lambda: named(_TYPES.take(column.type), _names(NumberType), parsed),
            "region": lambda: named(column.region, column.regions, column.region >= 0),
            "calling_code": lambda: nulled(pa.array(column.calling_code.view(np.int16)), parsed),
            "national_number": lambda: nulled(pa.array(column.national_number.view(np.int64)), parsed),
            "leading_zeros": lambda: nulled(pa.array(column.leading_zeros.view(np.int8)), parsed),
            "possibility": lambda: named(_POSSIBILITIES.take(column.possible_reason), _names(PossibleReason), parsed),
            "extension": self._extensions,
            "warnings": self._warnings,
        }
        if _CORRECTED & set(columns):
            numbers, kinds = self._corrections()
            makers["correction"] = lambda: pa.array(numbers, pa.string())
            makers["correction_kind"] = lambda: pa.array(kinds, pa.string()).dictionary_encode().cast(_DICTIONARY)
        arrays = [makers[name]() for name in columns]
        if dictionaries:
            return arrays
        return [array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array for array in arrays]

    def _reasons(self) -> NDArray[np.uint16]:
        """By row: places in `_REASONS`."""
        return self._column.error.astype(np.uint16) << np.uint16(8) | self._column.possible_reason

    def _extensions(self) -> pa.Array[Any]:
        held = self._column.extensions
        if not held:
            return pa.nulls(len(self._column), pa.string())
        return pa.array([held.get(row) for row in range(len(self._column))], pa.string())

    def _warnings(self) -> pa.Array[Any]:
        doubts = finish(column_doubts(self._values, self._column))
        kinds, rows = np.unique(doubts, return_inverse=True)
        texts = [",".join(str(one.name) for one in Doubt(int(kind))) for kind in kinds]
        return named(rows, texts, doubts != 0)

    def _corrections(self) -> tuple[list[str | None], list[str | None]]:
        """By row: the first correction and its kind. Each different text is diagnosed once."""
        numbers: list[str | None] = [None] * len(self._column)
        kinds: list[str | None] = [None] * len(self._column)
        doubts = finish(column_doubts(self._values, self._column))
        sizes = np.diff(self._texts.offsets)
        doubted = (~self._column.valid & (sizes > 0)) | (doubts & np.uint16(QUESTIONABLE) != 0)
        region_of: Any = self._regions if _is_one(self._regions) else self._regions.to_pylist()
        known: dict[tuple[str, str | None], tuple[str | None, str | None]] = {}
        for row in np.flatnonzero(doubted).tolist():
            asked = self._texts.text(row), region_of[row] if isinstance(region_of, list) else region_of
            if asked not in known:
                fixes = self._plan.diagnose(*asked).fixes
                known[asked] = (fixes[0].number.e164, fixes[0].kind.name) if fixes else (None, None)
            numbers[row], kinds[row] = known[asked]
        return numbers, kinds


def e164_texts(column: NumberColumn) -> pa.Array[Any]:
    """E.164 on the column's own buffers, without a copy."""
    kind = pa.string() if column.e164_offsets.dtype == np.int32 else pa.large_string()
    buffers = [None, pa.py_buffer(column.e164_offsets), pa.py_buffer(column.e164_data)]
    return pa.Array.from_buffers(kind, len(column), buffers)


def nulled(array: pa.Array[Any], said: NDArray[np.bool_]) -> pa.Array[Any]:
    """The array with null where `said` is false."""
    if bool(said.all()):
        return array
    bits = pa.py_buffer(np.packbits(said, bitorder="little"))
    return pa.Array.from_buffers(array.type, len(array), [bits, *array.buffers()[1:]])


def named(indices: NDArray[Any], names: Sequence[str], said: NDArray[np.bool_]) -> pa.Array[Any]:
    """Text by index as a dictionary; null where `said` is false."""
    held = nulled(pa.array(indices.astype(np.int16, copy=False)), said)
    return pa.DictionaryArray.from_arrays(held, pa.array(list(names), pa.string()))


@cache
def _names(kind: type[IntEnum]) -> list[str]:
    return [member.name for member in kind]


def _places(kind: type[IntEnum]) -> NDArray[np.int16]:
    """From the value of an enumeration to its place among its names."""
    places = np.zeros(256, np.int16)
    for place, member in enumerate(kind):
        places[int(member)] = place
    return places


def _reason_places() -> NDArray[np.int16]:
    """From ParseError and PossibleReason, packed in 16 bits, to the place of the InvalidReason."""
    places = np.zeros(256 * len(ParseError), np.int16)
    for error in ParseError:
        for possible in PossibleReason:
            if error == ParseError.NONE and possible == PossibleReason.NOT_PARSED:
                continue
            reason = invalid_reason(valid=False, error=error, possible_reason=possible)
            places[int(error) << 8 | int(possible)] = list(InvalidReason).index(reason)
    return places


_TYPES, _POSSIBILITIES, _REASONS = _places(NumberType), _places(PossibleReason), _reason_places()
