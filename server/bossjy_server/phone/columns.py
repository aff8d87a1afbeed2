"""Columns of answers to parallel columns of the contract, without a Python object for each row where it can be had.

On the wire a packed field whose values are below 128 is one byte a row, and a short text is two bytes before its own.
Such columns are written by NumPy (some 2 and 40 ns a row); protobuf would want an object for each (50 and 130 ns).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_numbering import InvalidReason, NumberColumn, NumberType, ParseError, PossibleReason
from bossjy_numbering.enrich import Labels
from bossjy_numbering.types import invalid_reason, not_a_number
from bossjy_server.errors import InvalidArgument, Reason, Violation

_COLUMNS = phone_service_pb2.StreamValidateNumbersResponse.COLUMNS_FIELD_NUMBER
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
# The columns that are looked up: `carrier` and `place`, None where not wanted.
Named = Mapping[str, Labels[str] | None]


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


def columns_wire(column: NumberColumn, wanted: AbstractSet[str], named: Named) -> bytes:
    """The columns that are wanted, as the wire bytes of a NumberColumns. Fields may follow one another in any order."""
    bytes_a_row: dict[str, Callable[[], NDArray[np.uint8]]] = {
        "valid": lambda: column.valid.view(np.uint8),
        "reason": lambda: reasons_of(column),
        "possibility": lambda: possibilities_of(column),
        "type": lambda: types_of(column),
        "leading_zeros": lambda: column.leading_zeros,
    }
    parts = [_packed(name, values()) for name, values in bytes_a_row.items() if name in wanted]
    if "e164" in wanted:
        parts.append(_texts("e164", column.e164_offsets, column.e164_data))
    rest = phone_service_pb2.NumberColumns()
    if "calling_code" in wanted:
        rest.calling_code.extend(column.calling_code.tolist())
    if "national_number" in wanted:
        rest.national_number.extend(column.national_number.tolist())
    if "region" in wanted:
        used, indices = np.unique(np.append(np.int32(0), regions_of(column)), return_inverse=True)
        rest.region.extend(indices[1:].tolist())
        rest.region_codes.extend("" if index == 0 else column.regions[index - 1] for index in used.tolist())
    if "extension" in wanted and column.extensions:
        rest.extension.extend(column.extensions.get(row, "") for row in range(len(column)))
    carriers, places = named["carrier"], named["place"]
    if carriers is not None:
        rest.carrier.extend(carriers.indices.tolist())
        rest.carriers.extend(carriers.values)
    if places is not None:
        rest.place.extend(places.indices.tolist())
        rest.places.extend(places.values)
    parts.append(rest.SerializeToString())
    return b"".join(parts)


def with_columns(response: phone_service_pb2.StreamValidateNumbersResponse, columns: bytes) -> bytes:
    """The wire bytes of a response with the wire bytes of its columns."""
    return response.SerializeToString() + _head(_COLUMNS) + _varint(len(columns)) + columns


def _packed(name: str, values: NDArray[np.uint8]) -> bytes:
    """A packed field: head, length, one byte a row. All values must be below 128."""
    return _head(_NUMBERS[name]) + _varint(len(values)) + values.tobytes()


def _texts(name: str, offsets: NDArray[np.int32] | NDArray[np.int64], data: NDArray[np.uint8]) -> bytes:
    """A repeated text field: head, length and text of each row. Every text must be shorter than 128 bytes."""
    rows = len(offsets) - 1
    head = offsets[:-1] - offsets[0] + 2 * np.arange(rows)
    wire = np.empty(int(offsets[-1] - offsets[0]) + 2 * rows, np.uint8)
    text = np.ones(len(wire), np.bool_)
    text[head] = text[head + 1] = False
    wire[head] = _head(_NUMBERS[name])[0]
    wire[head + 1] = np.diff(offsets)
    wire[text] = data[offsets[0] : offsets[-1]]
    return wire.tobytes()


def _head(number: int) -> bytes:
    """What stands before a length-delimited field; one byte for the numbers below 16."""
    return _varint(number << 3 | 2)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
