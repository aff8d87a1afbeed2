"""Columns of answers as parallel columns of the contract, without a Python object for each row if possible.

They are written as wire bytes, see `wire.py`: protobuf would need an object for each value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_numbering import Format, InvalidReason, NumberColumn, NumberType, ParseError, PossibleReason
from bossjy_numbering.enrich import Labels
from bossjy_numbering.types import invalid_reason, not_a_number
from bossjy_server.errors import InvalidArgument, Reason, Violation
from bossjy_server.phone.wire import few_texts, head, packed, short_texts, texts, varint

_NUMBERS = {field.name: field.number for field in phone_service_pb2.NumberColumns.DESCRIPTOR.fields}
# The columns of an empty read mask. `region_codes` comes with `region`, names and sets with their indices.
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
        "warnings",
    }
)
# Columns that are looked up in the tables of carriers, places and time zones.
LOOKED_UP = frozenset({"carrier", "carrier_reliable", "place", "time_zones"})
FORMATS = {
    "international_format": Format.INTERNATIONAL,
    "national_format": Format.NATIONAL,
    "rfc3966_format": Format.RFC3966,
}
_DICTIONARIES = {
    "region_codes": "region",
    "carriers": "carrier",
    "places": "place",
    "time_zone_sets": "time_zones",
}
_NOT_PARSED = 255


@dataclass(frozen=True, slots=True)
class Extras:
    """The requested columns besides those of the answers; each has n rows."""

    # `carrier` and `place`.
    named: Mapping[str, Labels[str]] = field(default_factory=dict)
    # By the names of FORMATS.
    formats: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time_zones: Labels[tuple[str, ...]] | None = None
    carrier_reliable: NDArray[np.bool_] | None = None
    # Bits of the contract's warnings.
    warnings: NDArray[np.uint16] | None = None


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
    """The columns of a read mask. Raises InvalidArgument for a path that is no column."""
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


def columns_wire(column: NumberColumn, wanted: AbstractSet[str], extras: Extras) -> bytes:
    """The requested columns, as the wire bytes of a NumberColumns. The order of fields is arbitrary."""
    numbers: dict[str, Callable[[], NDArray[Any]]] = {
        "valid": lambda: column.valid,
        "reason": lambda: reasons_of(column),
        "possibility": lambda: possibilities_of(column),
        "type": lambda: types_of(column),
        "calling_code": lambda: column.calling_code,
        "national_number": lambda: column.national_number,
        "leading_zeros": lambda: column.leading_zeros,
    }
    parts = [packed(_NUMBERS[name], values()) for name, values in numbers.items() if name in wanted]
    if "e164" in wanted:
        parts.append(short_texts(_NUMBERS["e164"], column.e164_offsets, column.e164_data))
    if "region" in wanted:
        parts += _region_parts(column)
    if "extension" in wanted and column.extensions:
        parts.append(few_texts(_NUMBERS["extension"], column.extensions, len(column)))
    return b"".join([*parts, *_extra_parts(extras)])


def _extra_parts(extras: Extras) -> list[bytes]:
    parts = [part for name, labels in extras.named.items() for part in _indexed(name, labels.indices, labels.values)]
    parts += [texts(_NUMBERS[name], values) for name, values in extras.formats.items()]
    if extras.time_zones is not None:
        parts.append(packed(_NUMBERS["time_zones"], extras.time_zones.indices.astype(np.uint32)))
        for zones in extras.time_zones.values:
            held = phone_service_pb2.TimeZones(ids=zones).SerializeToString()
            parts.append(head(_NUMBERS["time_zone_sets"]) + varint(len(held)) + held)
    if extras.carrier_reliable is not None:
        parts.append(packed(_NUMBERS["carrier_reliable"], extras.carrier_reliable))
    if extras.warnings is not None and extras.warnings.any():
        parts.append(packed(_NUMBERS["warnings"], extras.warnings))
    return parts


def _region_parts(column: NumberColumn) -> list[bytes]:
    """The column of regions and its list of codes: the empty one, then those that occur."""
    indices = regions_of(column)
    occurs = np.bincount(indices, minlength=len(column.regions) + 1) > 0
    occurs[0] = True
    place = np.cumsum(occurs) - 1
    codes = [code for code, there in zip(("", *column.regions), occurs.tolist(), strict=True) if there]
    return _indexed("region", place[indices], codes)


_LISTS = {index: name for name, index in _DICTIONARIES.items()}


def _indexed(name: str, indices: NDArray[Any], values: Sequence[str]) -> list[bytes]:
    """A column of indices and the list of texts to which they point."""
    return [packed(_NUMBERS[name], indices), texts(_NUMBERS[_LISTS[name]], values)]


def with_output(response: phone_service_pb2.StreamValidateNumbersResponse, name: str, output: bytes) -> bytes:
    """The wire bytes of a response with the bytes of its `columns` or `arrow_ipc`."""
    field = phone_service_pb2.StreamValidateNumbersResponse.DESCRIPTOR.fields_by_name[name]
    return b"".join((response.SerializeToString(), head(field.number), varint(len(output)), output))
