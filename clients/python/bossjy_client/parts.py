"""Positions at which a file can be split for parallel upload streams: line ends, if each line is a row."""

from __future__ import annotations

import mmap
import re
from itertools import pairwise
from pathlib import Path

from bossjy_client.errors import SourceError

PART_LIMIT = 64
# A smaller part is not worth its stream.
_LEAST_PART_BYTES = 1024 * 1024
_SAMPLE_BYTES = 64 * 1024
# Compressed files and UTF-16 have no line ends of one byte. They are recognised by their first bytes.
_NO_LINES = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff", b"ARROW1", b"\xff\xff\xff\xff")


def cut(path: Path, parts: int, *, delimiter: str = "", quote: str = '"') -> list[tuple[int, int]]:
    """Byte ranges (start, end), at most `parts`, that are the whole file in sequence. Raises SourceError.

    One range if the file is small, or if a row may span several lines: then only the service, which reads from the
    start, knows the rows. Reads the whole file if it has quotes.
    """
    try:
        size = path.stat().st_size
        wanted = min(parts, PART_LIMIT, max(1, size // _LEAST_PART_BYTES))
        if wanted < 2:
            return [(0, size)]
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if not _lines_are_rows(data, delimiter, quote):
                return [(0, size)]
            ends = {_behind_line(data, size * number // wanted) for number in range(1, wanted)}
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: {error}") from error
    return list(pairwise(sorted({0, size, *ends})))


def _behind_line(data: mmap.mmap, position: int) -> int:
    found = data.find(b"\n", position)
    return len(data) if found < 0 else found + 1


def _lines_are_rows(data: mmap.mmap, delimiter: str, quote: str) -> bool:
    head = data[:_SAMPLE_BYTES]
    if head.startswith(_NO_LINES) or b"\0" in head or b"\n" not in head:
        return False
    mark = quote.encode()
    if not mark or data.find(mark) < 0:
        return True
    # The delimiter is not known yet: a cell may begin after any of the usual ones.
    return not _has_open_cell(data, re.escape((delimiter or ",;|\t").encode()) + b"\r\n", re.escape(mark))


def _has_open_cell(data: mmap.mmap, between: bytes, quote: bytes) -> bool:
    """True if a quoted cell spans several lines, or has text after its closing quote."""
    opening = quote + b"(?<![^" + between + b"]" + quote + b")"
    inside = b"[^" + quote + b"\r\n]*+(?:" + quote * 2 + b"[^" + quote + b"\r\n]*+)*+"
    closing = b"(" + quote + b"(?=[" + between + b"]|\\Z))?"
    return any(match[1] is None for match in re.finditer(opening + inside + closing, data))
