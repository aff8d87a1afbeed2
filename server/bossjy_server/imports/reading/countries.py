"""Country columns: the default region of each row, read from codes, calling codes and names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from bossjy_numbering import RegionHints
from bossjy_numbering.region_hints import LONGEST_HINT
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import Flags, TextColumn

Regions: TypeAlias = str | list[str | None] | None

HINTS = RegionHints()
# Different cells that are remembered over all imports of a process.
_REMEMBERED_CELLS = 4_096


@dataclass(frozen=True, slots=True)
class RowRegions:
    """The default region of each row, or one for all, and the rows whose country cell is not understood."""

    regions: Regions
    unknown: Flags


def regions_of(cells: TextColumn, regions: Collection[str], default_region: str) -> RowRegions:
    """Read a country column once for each different cell. Only an empty cell means the import's default region."""
    words, indices = arrow.distinct(cells)
    default = default_region or None
    by_word = [_region_of(word) if word else default for word in words]
    by_word = [region if region in regions or region == default else None for region in by_word]
    unknown = np.array([bool(word) and not region for word, region in zip(words, by_word, strict=True)], np.bool_)
    if len(words) == 1 and not unknown[0]:
        return RowRegions(by_word[0], np.zeros(len(cells), np.bool_))
    return RowRegions([by_word[index] for index in indices], unknown[indices])


def _region_of(word: str) -> str | None:
    # A long cell must not stay in the cache.
    return _remembered(word) if len(word) <= LONGEST_HINT else None


@lru_cache(_REMEMBERED_CELLS)
def _remembered(word: str) -> str | None:
    return HINTS.region(word)
