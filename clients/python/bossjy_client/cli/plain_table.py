"""Tables of a pipe or a file: a line for each row, whatever its width, with aligned columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

_GAP = "   "
# Wide characters of East Asia fill two cells of a terminal.
_WIDE = frozenset("WF")


def table_lines(
    title: str, heads: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    """The lines of a table. `right`: the columns that are aligned to the right."""
    widths = [max(map(_width, cells)) for cells in zip(heads, *rows, strict=True)]
    if title:
        yield title
    yield _line(heads, widths, right)
    yield "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    for row in rows:
        yield _line(row, widths, right)


def pair_lines(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A line for each name and its value."""
    width = max((_width(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield f"{name}{' ' * (width - _width(name))}  {value}".rstrip()


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, at_right in zip(cells, widths, right, strict=True):
        space = " " * (width - _width(cell))
        padded.append(space + cell if at_right else cell + space)
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in _WIDE else 1 for one in text
    )
