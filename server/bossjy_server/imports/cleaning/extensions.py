"""Extensions of numbers: those that the plan finds in the cells, and those from a separate column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import NumberColumn
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import Flags, TextColumn

# Before the extension in a list of numbers, as RFC 3966 writes it: `+12025550123;ext=5`.
_MARK = ";ext="
_DIGITS = r"^[0-9]{1,20}$"


def extensions_of(column: NumberColumn, rows: NDArray[np.intp]) -> TextColumn | None:
    """The extension of each of some rows, '' if there is none. None: no row of the column has one."""
    found = column.extensions
    return arrow.text_column(found.get(row, "") for row in rows.tolist()) if found else None


def with_extensions(e164: TextColumn, extensions: TextColumn | None) -> TextColumn:
    """The numbers, each followed by its extension if it has one."""
    if extensions is None:
        return e164
    return arrow.chosen(arrow.is_empty(extensions), e164, arrow.joined(e164, _MARK, extensions))


def from_column(
    extensions: TextColumn | None, cells: TextColumn, applies: Flags
) -> tuple[TextColumn | None, TextColumn]:
    """The extensions, with those of a separate column in the rows where it applies; separately all other cells.

    Such a cell is digits, and the number has no other extension.
    """
    if arrow.longest_bytes(cells) == 0:
        return extensions, cells
    known = arrow.repeated("", len(cells)) if extensions is None else extensions
    fits = applies & arrow.matches(cells, _DIGITS)
    filled = arrow.chosen(fits & arrow.is_empty(known), cells, known)
    same = fits & ~arrow.differs(cells, filled)
    return filled, arrow.chosen(same, "", cells)
