"""Region detection for numbers without a calling code: a check of the requested region, and the likeliest one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bossjy_numbering import NumberType, Plan
from bossjy_server.imports.cleaning.null_words import NullWords
from bossjy_server.imports.cleaning.number_cells import check_numbers
from bossjy_server.imports.cleaning.primary import first_filled, phone_columns
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.layout import RowBlock
from bossjy_server.imports.records import ContactField, Spec

# Cells that every region is tried on, and the preferred regions if several explain equally many.
_GUESS_CELLS = 200
_MOBILE = (int(NumberType.MOBILE), int(NumberType.FIXED_LINE_OR_MOBILE))
_FIRST_REGIONS = ("CN", "US", "GB", "HK", "TW")
# A region is worth a question if it makes so much larger a share of the numbers valid. Against a requested region, most
# numbers must also be invalid in that.
_MOST_OTHERS = 5
_GAIN, _MOSTLY = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class RegionGuess:
    """The region of the import and the likeliest one, '' for none, and the shares of valid numbers in each."""

    asked: str = ""
    asked_share: float = 0.0
    likely: str = ""
    likely_share: float = 0.0
    # Other regions that are equally likely.
    equally_likely: tuple[str, ...] = ()

    @property
    def doubtful(self) -> bool:
        """True if the region is missing or clearly wrong, and the likely one fits."""
        if not self.likely or self.likely == self.asked or self.likely_share < self.asked_share + _GAIN:
            return False
        return not self.asked or (self.asked_share < _MOSTLY <= self.likely_share)


def guess_region(block: RowBlock, spec: Spec, asked: str, plan: Plan) -> RegionGuess:
    """Guess from the rows of a block. Rows with their own country are no evidence for the import's region."""
    words = NullWords(spec.null_values)
    cells = first_filled([words.without(arrow.trimmed(block.columns[index])) for index in phone_columns(spec.mapping)])
    country = next((index for index, one in enumerate(spec.mapping) if one.field is ContactField.COUNTRY), -1)
    if country >= 0:
        cells = arrow.kept(cells, arrow.is_empty(words.without(arrow.trimmed(block.columns[country]))))
    likely, *others = likely_regions(cells, plan, asked) or [""]
    asked_share = share_valid(cells, plan, asked)
    likely_share = share_valid(cells, plan, likely) if likely else 0.0
    return RegionGuess(asked, asked_share, likely, likely_share, tuple(others[:_MOST_OTHERS]))


def likely_regions(cells: TextColumn, plan: Plan, asked: str = "") -> list[str]:
    """Regions in which most numbers without a calling code are valid: a good `asked`, else the most usual first."""
    cells = cells.slice(0, _GUESS_CELLS)
    bare = (check_numbers(cells, plan, None).reason != 0) & ~arrow.is_empty(cells)
    cells = arrow.kept(cells, bare)
    if not len(cells):
        return []
    if asked and _valid(cells, plan, asked) * 10 >= len(cells) * 9:
        return [asked]  # good enough: the others need not be tried
    codes = [info.code for info in plan.regions() if len(info.code) == 2 and info.code.isalpha()]
    first = (asked, *_FIRST_REGIONS)
    codes.sort(key=lambda code: first.index(code) if code in first else len(first))
    scores = {code: _score(cells, plan, code) for code in codes}
    best, valid = max(scores.values())
    return [code for code in codes if scores[code] == (best, valid)] if valid * 2 > len(cells) else []


def share_valid(cells: TextColumn, plan: Plan, region: str) -> float:
    """Share of the cells that are not empty and valid numbers, 0 to 1."""
    reason = check_numbers(cells, plan, region or None).reason
    filled = ~arrow.is_empty(cells)
    return float((reason[filled] == 0).mean()) if filled.any() else 0.0


def _score(cells: TextColumn, plan: Plan, region: str) -> tuple[int, int]:
    """The score of a region, and the number of valid numbers in it.

    Mobile numbers count twice: some regions have fixed lines of any digits, and lists are full of mobile numbers.
    """
    numbers = check_numbers(cells, plan, region)
    valid = numbers.reason == 0
    mobile = np.count_nonzero(valid & np.isin(numbers.type, _MOBILE))
    return int(np.count_nonzero(valid) + mobile), int(np.count_nonzero(valid))


def _valid(cells: TextColumn, plan: Plan, region: str) -> int:
    return int(np.count_nonzero(check_numbers(cells, plan, region).reason == 0))
