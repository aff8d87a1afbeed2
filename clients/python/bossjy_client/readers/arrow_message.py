"""Arrow message parser: the parts that decide if the service reads a stream unchanged.

Format: https://arrow.apache.org/docs/format/Columnar.html (Message.fbs).
"""

from __future__ import annotations

import struct
from typing import Any

_DICTIONARY, _ROWS = 2, 3


def first_batch(data: bytes) -> tuple[bool, int]:
    """Reads the message at the start of `data`: true if it is a compressed batch, and the bytes of its body.

    Raises struct.error if it is truncated.
    """
    description = data[8 : 8 + _at("<i", data, 4)]
    table: int = _at("<I", description, 0)
    kind = _at("<B", description, place) if (place := _field(description, table, 1)) else 0
    body: int = _at("<q", description, place) if (place := _field(description, table, 3)) else 0
    if kind not in {_DICTIONARY, _ROWS}:
        return False, body
    content = _inner(description, table, 2)
    if kind == _DICTIONARY:
        content = _inner(description, content, 1)
    return bool(_field(description, content, 3)), body


def _inner(data: bytes, table: int, number: int) -> int:
    place = _field(data, table, number)
    return place + int(_at("<I", data, place))


def _field(data: bytes, table: int, number: int) -> int:
    """The place of a field of a table; 0 if it is not set."""
    layout = table - _at("<i", data, table)
    if 4 + 2 * number >= _at("<H", data, layout):
        return 0
    found: int = _at("<H", data, layout + 4 + 2 * number)
    return table + found if found else 0


def _at(form: str, data: bytes, place: int) -> Any:
    if place < 0:
        raise struct.error("a place before the beginning")
    return struct.unpack_from(form, data, place)[0]
