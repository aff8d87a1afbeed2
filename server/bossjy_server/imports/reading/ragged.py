"""Ragged rows of delimited text: blank cells beyond the columns, and missing cells at the end."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.reading.layout import Layout

Positions = NDArray[np.int64]
SPACE, TAB = 32, 9


def without_surplus(  # noqa: PLR0917 - the positions of rows
    data: bytes,
    starts: Positions,
    ends: Positions,
    cell_counts: Positions,
    delimiters: Positions,
    layout: Layout,
) -> Positions:
    """The ends of the cells that have a column. Blank surplus cells are subtracted from `cell_counts`."""
    long = np.flatnonzero(cell_counts > layout.column_count)
    if len(long) == 0:
        return ends
    cell_ends = ends.copy()
    bounds = delimiters[np.searchsorted(delimiters, starts[long]) + layout.column_count - 1]
    view = np.frombuffer(data, np.uint8)
    filled = np.concatenate(([0], np.cumsum((view != layout.delimiter[0]) & (view != SPACE) & (view != TAB))))
    blank = filled[ends[long]] == filled[bounds]
    if layout.quote:
        pattern = _blank_cells(layout.delimiter, layout.quote)
        for index in np.flatnonzero(~blank).tolist():
            blank[index] = pattern.fullmatch(data, int(bounds[index]), int(ends[long[index]])) is not None
    cell_ends[long[blank]] = bounds[blank]
    cell_counts[long[blank]] = layout.column_count
    return cell_ends


@lru_cache(maxsize=64)
def _blank_cells(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    sign = re.escape(quote)
    return re.compile(b"(?:" + re.escape(delimiter) + b"(?:" + sign + b"[ \\t]*" + sign + b"|[ \\t]*))*")


def regular_bytes(
    data: bytes,
    ragged: tuple[Positions, Positions, Positions, Positions, NDArray[np.uint8]],
    consumed: int,
    layout: Layout,
) -> bytes:
    """The bytes up to `consumed` without rejected rows, and the other ragged rows with a cell for each column.

    ragged: for each such row its start, its end, the end of its cells that have a column, the number of missing cells,
    and true if it is rejected. The line ends stay: Arrow ignores empty lines, as `split.py` does.
    """
    pieces: list[bytes] = []
    position = 0
    for start, end, cell_end, lacking, fault in zip(*(of_rows.tolist() for of_rows in ragged), strict=True):
        pieces.append(data[position : start if fault else cell_end])
        if lacking > 0 and not fault:
            pieces.append(layout.delimiter * lacking)
        position = end
    pieces.append(data[position:consumed])
    return b"".join(pieces)
