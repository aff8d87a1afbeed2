"""Binary worksheets of XLSB: the part of each sheet, and its hidden rows. Format: [MS-XLSB].

A part is a sequence of records: kind and size as numbers of seven bits a byte, and contents.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

_SHEET, _ROW, _FIRST_ROW_BYTES = 156, 0, 12
_HIDDEN = 0x10
_SIZE_BYTES = 6
# No record of a table is larger: a text has at most 32,767 characters.
_RECORD_BYTES_MAX = 1024 * 1024


def records(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of each record of a part that comes in pieces. The last one may be cut off.

    Raises ValueError for a record that no sheet has.
    """
    rest, ended = b"", False
    source = iter(pieces)
    while not ended:
        piece = next(source, None)
        ended = piece is None
        data, position = rest + (piece or b""), 0
        while position < len(data) and (ended or position + _SIZE_BYTES <= len(data)):
            kind, after = variable(data, position, 2)
            size, after = variable(data, after, 4)
            if size > _RECORD_BYTES_MAX:
                raise ValueError(f"a record of {size:,} bytes")
            if after + size > len(data) and not ended:
                break
            yield kind, data[after : after + size]
            position = after + size
        rest = data[position:]


def sheet_relations(pieces: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Relation and name of each sheet that the workbook's part lists."""
    for kind, contents in records(pieces):
        if kind == _SHEET:
            relation, position = _text(contents, 8)
            yield relation, _text(contents, position)[0]


def hidden_rows(pieces: Iterable[bytes]) -> Iterator[int]:
    """The hidden rows of a sheet's part, from 0."""
    for kind, contents in records(pieces):
        if kind == _ROW and len(contents) >= _FIRST_ROW_BYTES and contents[11] & _HIDDEN:
            yield struct.unpack_from("<I", contents)[0]


def variable(data: bytes, position: int, most: int) -> tuple[int, int]:
    """A number, seven bits a byte, and the position after it."""
    value = 0
    for place in range(most):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return value, position


def _text(contents: bytes, position: int) -> tuple[str, int]:
    """A text in UTF-16 after its length in characters, and the position after it. No text has the length -1."""
    length = int.from_bytes(contents[position : position + 4], "little")
    end = position + 4 + (0 if length == 0xFFFFFFFF else 2 * length)
    return contents[position + 4 : end].decode("utf-16-le", "replace"), end
