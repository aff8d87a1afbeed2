"""Details of an error in `grpc-status-details-bin`, read from the wire: google.rpc.Status and the messages in it.

Generated code for google.rpc would be a dependency that other packages install in other versions. These few messages
have texts, numbers and messages only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

# Field number, and its number or bytes.
Field: TypeAlias = tuple[int, int | bytes]
_PREFIX = "type.googleapis.com/google.rpc."


@dataclass(slots=True)
class ErrorDetails:
    """ErrorInfo, RetryInfo, RequestInfo and BadRequest of a status; defaults for those that it does not have."""

    domain: str = ""
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    request_id: str = ""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """Field and description."""


def read_details(status: bytes) -> ErrorDetails:
    """The details of a serialised google.rpc.Status. Raises ValueError if it is none."""
    found = ErrorDetails()
    for number, detail in _fields(status):
        if number == 3:
            packed = dict(_fields(_bytes(detail)))
            _add(found, _text(packed.get(1, b"")).removeprefix(_PREFIX), _bytes(packed.get(2, b"")))
    return found


def _add(found: ErrorDetails, kind: str, message: bytes) -> None:
    fields = list(_fields(message))
    first = dict(fields).get(1, b"")
    match kind:
        case "ErrorInfo":
            info = dict(fields)
            found.reason, found.domain = _text(info.get(1, b"")), _text(info.get(2, b""))
            found.metadata = dict(_texts(value) for number, value in fields if number == 3)
        case "RetryInfo":
            delay = dict(_fields(_bytes(first)))
            found.retry_after_s = _number(delay.get(1, 0)) + _number(delay.get(2, 0)) / 1e9
        case "RequestInfo":
            found.request_id = _text(first)
        case "BadRequest":
            found.violations = [_texts(value) for number, value in fields if number == 1]
        case _:
            pass


def _texts(message: int | bytes) -> tuple[str, str]:
    """The first two fields of a message: the key and value of an entry, a field and its description."""
    fields = dict(_fields(_bytes(message)))
    return _text(fields.get(1, b"")), _text(fields.get(2, b""))


def _fields(message: bytes) -> Iterator[Field]:
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, place = _varint(message, place)
        else:
            size = {1: 8, 5: 4}.get(kind, -1)
        if size < 0 or place + size > len(message):
            raise ValueError("not a message")
        yield tag >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("not a message")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("not a message")  # noqa: TRY004 - about the bytes of a message
    return value


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("not a message")  # noqa: TRY004 - about the bytes of a message
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode("utf-8")
