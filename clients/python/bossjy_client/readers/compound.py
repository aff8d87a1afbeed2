"""Compound files of old workbooks: a check that their chains of sectors end.

The library for workbooks loops for ever on a chain that returns to itself. Format: [MS-CFB].
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path

from bossjy_client.errors import SourceError

# Sector numbers from this one are markers: the end of a chain, a free sector.
_MARKS = 0xFFFFFFFA
_ENTRY_BYTES = 128
_STREAM, _ROOT = 2, 5


class _Wrong(ValueError):
    pass


def check_compound(path: Path, label: str) -> None:
    """Raises SourceError for a file whose chains do not end, or leave the file."""
    try:
        _check(path.read_bytes())
    except (ValueError, IndexError, struct.error) as error:
        raise SourceError(f"{label}: the old workbook is truncated or damaged: save it as XLSX if it opens") from error


def _check(data: bytes) -> None:
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    # First sector of the directory, smallest stream outside the small sectors, small table, additional table.
    directory, cutoff, small, _, more = struct.unpack_from("<I4xIIII", data, 48)
    if shift not in {9, 12} or small_shift != 6:
        raise _Wrong("sizes of sectors")
    size = 1 << shift
    table = _table(data, size, more)
    entries = b"".join(_sector(data, size, number) for number in _chain(table, directory))
    small_table = array("I", b"".join(_sector(data, size, number) for number in _chain(table, small)))
    for place in range(0, len(entries), _ENTRY_BYTES):
        kind = entries[place + 66]
        start = int.from_bytes(entries[place + 116 : place + 120], "little")
        length = int.from_bytes(entries[place + 120 : place + 124], "little")
        if kind == _ROOT or (kind == _STREAM and length >= cutoff):
            _chain(table, start)
        elif kind == _STREAM and length:
            _chain(small_table, start)


def _table(data: bytes, size: int, more: int) -> array[int]:
    """The next sector of each sector."""
    numbers = list(struct.unpack_from("<109I", data, 76))
    seen = 0
    while more < _MARKS:
        seen += 1
        if seen * size > len(data):
            raise _Wrong("a chain without an end")
        listed = array("I", _sector(data, size, more))
        numbers += listed[:-1]
        more = listed[-1]
    return array("I", b"".join(_sector(data, size, number) for number in numbers if number < _MARKS))


def _chain(table: array[int], number: int) -> list[int]:
    chain: list[int] = []
    while number < _MARKS:
        if number >= len(table) or len(chain) > len(table):
            raise _Wrong("a chain without an end")
        chain.append(number)
        number = table[number]
    return chain


def _sector(data: bytes, size: int, number: int) -> bytes:
    start = (number + 1) * size
    found = data[start : start + size]
    return found + bytes(size - len(found)) if found else b""
