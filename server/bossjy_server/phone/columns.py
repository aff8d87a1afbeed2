"""Columns of answers to parallel columns of the contract, without a Python object for each row where it can be had.

A packed field whose values are below 128 is one byte a row on the wire. Such a column is handed to protobuf as wire
bytes (2 ns a row) and not as a list of ints (50 ns a row).
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_numbering import InvalidReason, NumberColumn, NumberType, ParseError, PossibleReason
from bossjy_numbering.types import invalid_reason, not_a_number
from bossjy_server.errors import InvalidArgument, Reason, Violation

_NUMBERS = {field.name: field.number for field in phone_service_pb2.NumberColumns.DESCRIPTOR.fields}
# What is sent when nothing is asked for. `region_codes` comes with `region`, names with their indices.
DEFAULT_COLUMNS = frozenset(
    {
        "valid",
        "reason",
        "possibility",
        "type",
        "e164",
        "calling_code",
        "national_number",
        "leading_zeros",
        "region",
        "extension",
    }
)
_DICTIONARIES = {"region_codes": "region", "carriers": "carrier", "places": "place"}
_NOT_PARSED = 255


def _table(values: dict[int, int]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for key, value in values.items():
        table[key] = value
    return table


# From the numbering's values to the contract's, one byte to one byte.
TYPE_OF = _table(
    {kind: number_pb2.NUMBER_TYPE_UNKNOWN if kind == NumberType.UNKNOWN else kind + 1 for kind in NumberType}
)
POSSIBILITY_OF = _table({reason: 0 if reason == _NOT_PARSED else reason + 1 for reason in PossibleReason})
_REASON_OF_ERROR = _table({error: not_a_number(error).reason for error in ParseError if error != ParseError.NONE})
_REASON_OF_LENGTH = _table(
    {
        reason: invalid_reason(valid=False, error=ParseError.NONE, possible_reason=reason)
        for reason in PossibleReason
        if reason != _NOT_PARSED
    }
)


def wanted_columns(paths: AbstractSet[str]) -> AbstractSet[str]:
    """The columns that a read mask asks for. Raises InvalidArgument for a path that is no column."""
    if not paths:
        return DEFAULT_COLUMNS
    unknown = sorted(paths - _NUMBERS.keys())
    if unknown:
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"read_mask names {unknown[0]!r}, which is no column of NumberColumns",
            violations=[Violation("read_mask", "no such column")],
        )
    return {_DICTIONARIES.get(path, path) for path in paths}


def types_of(column: NumberColumn) -> NDArray[np.uint8]:
    """NumberType of the contract, (n,)."""
    kinds: NDArray[np.uint8] = TYPE_OF[column.type]
    kinds[column.error != 0] = 0
    return kinds


def possibilities_of(column: NumberColumn) -> NDArray[np.uint8]:
    """Possibility of the contract, (n,)."""
    possibilities: NDArray[np.uint8] = POSSIBILITY_OF[column.possible_reason]
    return possibilities


def reasons_of(column: NumberColumn) -> NDArray[np.uint8]:
    """InvalidReason of the contract, (n,)."""
    reasons = np.where(column.error != 0, _REASON_OF_ERROR[column.error], _REASON_OF_LENGTH[column.possible_reason])
    reasons[column.valid] = InvalidReason.NONE
    return reasons


def regions_of(column: NumberColumn) -> NDArray[np.int32]:
    """Index of each valid number's region into `("", *column.regions)`, 0 for the others, (n,)."""
    return np.where(column.valid, column.region.astype(np.int32) + 1, 0).astype(np.int32)


def columns_message(column: NumberColumn, wanted: AbstractSet[str]) -> phone_service_pb2.NumberColumns:
    """The columns that are wanted, as a message."""
    message = phone_service_pb2.NumberColumns()
    bytes_a_row: dict[str, Callable[[], NDArray[np.uint8]]] = {
        "valid": lambda: column.valid.view(np.uint8),
        "reason": lambda: reasons_of(column),
        "possibility": lambda: possibilities_of(column),
        "type": lambda: types_of(column),
        "leading_zeros": lambda: column.leading_zeros,
    }
    for name in bytes_a_row.keys() & wanted:
        message.MergeFromString(_packed(name, bytes_a_row[name]()))
    if "e164" in wanted:
        message.e164.extend(column.e164)
    if "calling_code" in wanted:
        message.calling_code.extend(column.calling_code.tolist())
    if "national_number" in wanted:
        message.national_number.extend(column.national_number.tolist())
    if "region" in wanted:
        used, indices = np.unique(np.append(np.int32(0), regions_of(column)), return_inverse=True)
        message.region.extend(indices[1:].tolist())
        message.region_codes.extend("" if index == 0 else column.regions[index - 1] for index in used.tolist())
    if "extension" in wanted and column.extensions:
        message.extension.extend(column.extensions.get(row, "") for row in range(len(column)))
    return message


def _packed(name: str, values: NDArray[np.uint8]) -> bytes:
    """A packed field on the wire: tag, length, one byte a row. All values must be below 128."""
    return _varint(_NUMBERS[name] << 3 | 2) + _varint(len(values)) + values.tobytes()


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
