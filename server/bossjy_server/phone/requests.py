"""Stream request parser: `wire.py` reads the columns of texts, protobuf reads the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.phone.wire import head, read_texts

_REQUEST = pb.StreamValidateNumbersRequest
_TEXTS_TAG = head(_REQUEST.TEXTS_FIELD_NUMBER)[0]
_PHONE_NUMBERS = pb.NumberTexts.PHONE_NUMBERS_FIELD_NUMBER
_DEFAULT_REGIONS = pb.NumberTexts.DEFAULT_REGIONS_FIELD_NUMBER
_REGION_CODES = pb.NumberTexts.REGION_CODES_FIELD_NUMBER
# Protobuf reads shorter ones as quickly.
_WORTH_IT_BYTES = 1024
# As the contract says; longer columns are left to its validation.
_MAX_ROWS = 10_000
_MAX_FIELDS = 16
_VARINT, _LENGTH_DELIMITED = 0, 2


@dataclass(frozen=True, slots=True)
class TextColumns:
    """The texts of a request, and the default region of each under the old and the new name of that field."""

    texts: pa.Array[Any]
    regions: pa.Array[Any]
    region_codes: pa.Array[Any]


def split_request(raw: bytes) -> tuple[bytes, TextColumns | None]:
    """The columns of texts of a StreamValidateNumbersRequest, and its bytes without them (`texts` is there, and empty).

    All bytes and None if there is nothing to gain, or if protobuf and its validation must decide.
    """
    place = _find_texts(raw)
    if place is None:
        return raw, None
    begin, start, end = place
    if end - start < _WORTH_IT_BYTES:
        return raw, None
    columns = read_texts(raw[start:end], _PHONE_NUMBERS, _DEFAULT_REGIONS, _REGION_CODES, most=2 * _MAX_ROWS)
    if columns is None or max(map(len, columns)) > _MAX_ROWS:
        return raw, None
    return raw[:begin] + bytes((_TEXTS_TAG, 0)) + raw[end:], TextColumns(*columns)


def _find_texts(raw: bytes) -> tuple[int, int, int] | None:
    """The position of the only field `texts`, the start of its bytes, and their end."""
    found: tuple[int, int, int] | None = None
    position = 0
    for _ in range(_MAX_FIELDS):
        if position == len(raw):
            return found
        begin, tag = position, raw[position]
        read = _read_varint(raw, position + 1)
        if read is None:
            return None
        value, position = read
        if tag == _TEXTS_TAG:
            if found:
                return None  # protobuf joins the two
            found = begin, position, position + value
        if tag & 7 == _LENGTH_DELIMITED:
            position += value
        elif tag & 7 != _VARINT:
            return None
        if tag >= 128 or position > len(raw):
            return None
    return None


def _read_varint(raw: bytes, position: int) -> tuple[int, int] | None:
    """The value at a position and the position after it; None if there is none, or one of more than 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(raw):
            return None
        value |= (raw[position] & 127) << shift
        position += 1
        if raw[position - 1] < 128:
            return value, position
    return None
