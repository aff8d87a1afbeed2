"""Null words: cells such as `NULL`, `N/A` and `#N/A`, which programs write for an empty value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn

# As databases, spreadsheets and statistics programs write them. The case matters: `Null` is a family name.
DEFAULT = (
    *("NULL", "null", "(null)", "<null>", "[NULL]", "\\N"),
    *("N/A", "n/a", "#N/A", "#n/a", "None", "NaN", "nan", "<NA>", "NaT", "-"),
    *("#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"),
)


class NullWords:
    """Empties trimmed cells that are null words."""

    def __init__(self, words: Sequence[str] | None) -> None:
        """None: `DEFAULT`."""
        kept = [word.strip() for word in (DEFAULT if words is None else words)]
        self._words = pa.array([word for word in kept if word], pa.string())
        self._longest = max((len(word.encode()) for word in kept), default=0)

    def without(self, cells: TextColumn) -> TextColumn:
        """The cells, with null words replaced by empty text."""
        if self._longest == 0 or len(cells) == 0:
            return cells
        lengths = arrow.byte_lengths(cells)
        null = (lengths > 0) & (lengths <= self._longest)
        if not np.any(null):
            return cells
        null[null] = arrow.is_in(arrow.kept(cells, null), self._words)
        return arrow.chosen(null, "", cells) if np.any(null) else cells
