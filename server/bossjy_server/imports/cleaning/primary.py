"""Primary numbers: the first valid number of several phone columns, for each row of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import Plan
from bossjy_server.imports.cleaning.number_cells import CheckedNumbers, check_numbers
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import Flags, TextColumn
from bossjy_server.imports.reading.countries import Regions
from bossjy_server.imports.records import ColumnMapping, ContactField


@dataclass(frozen=True, slots=True)
class PrimaryNumbers:
    """The number of each row. `source[i]` is the column of the number, or the column at fault. Shapes (n,)."""

    numbers: CheckedNumbers
    source: NDArray[np.int16]


def phone_columns(mapping: Sequence[ColumnMapping]) -> list[int]:
    """The phone columns in their order: that of PHONE_NUMBER, then those of OTHER_NUMBER in the order of the file."""
    first = [index for index, one in enumerate(mapping) if one.field is ContactField.PHONE_NUMBER]
    return first + [index for index, one in enumerate(mapping) if one.field is ContactField.OTHER_NUMBER]


def primary_numbers(
    cells: Sequence[TextColumn], columns: Sequence[int], plan: Plan, regions: Regions, *, keep_doubtful: bool = False
) -> PrimaryNumbers:
    """Check the first of `columns`, and the others only for the rows that have no valid number yet.

    A row without any valid number gets the reason of its first column that is not empty.
    """
    first = columns[0]
    check = partial(check_numbers, keep_doubtful=keep_doubtful)
    numbers = check(cells[first], plan, regions)
    source = np.full(len(numbers.reason), first, np.int16)
    missing = numbers.reason != 0
    if len(columns) == 1 or not missing.any():
        return PrimaryNumbers(numbers, source)
    texts = cells[first]
    empty = arrow.is_empty(texts)
    for column in columns[1:]:
        filled = missing & ~arrow.is_empty(cells[column])
        rows = np.flatnonzero(filled)
        if not len(rows):
            continue
        valid = np.zeros(len(source), np.bool_)
        valid[rows] = check(arrow.kept(cells[column], filled), plan, regions_at(regions, rows)).reason == 0
        taken = valid | (empty & filled)
        texts = arrow.chosen(taken, cells[column], texts)
        source[taken] = column
        missing &= ~valid
        empty &= ~filled
    if (source == first).all():
        return PrimaryNumbers(numbers, source)
    return PrimaryNumbers(check(texts, plan, regions), source)


def first_filled(columns: Sequence[TextColumn]) -> TextColumn:
    """The first cell of each row that is not empty."""
    texts = columns[0]
    for column in columns[1:]:
        texts = arrow.chosen(arrow.is_empty(texts), column, texts)
    return texts


def regions_at(regions: Regions, rows: NDArray[np.intp]) -> Regions:
    """The regions of some rows."""
    return [regions[row] for row in rows] if isinstance(regions, list) else regions


def distinct_numbers(numbers: Sequence[TextColumn]) -> list[TextColumn]:
    """Columns of numbers in which each number of a row occurs once: it stays in its first column.

    If a cell can be a list, `+86…,+44…`, the result is one column of lists.
    """
    if len(numbers) > 1 and any(arrow.matches(column, ",").any() for column in numbers):
        return [_distinct_lists(numbers)]
    kept: list[TextColumn] = []
    for column in numbers:
        new: Flags | None = None
        for former in kept:
            differs = arrow.differs(column, former)
            new = differs if new is None else new & differs
        kept.append(column if new is None or new.all() else arrow.chosen(new, column, ""))
    return kept


def _distinct_lists(columns: Sequence[TextColumn]) -> TextColumn:
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return arrow.text_column(
        ",".join(dict.fromkeys(number for cell in row for number in (cell or "").split(",") if number)) for row in rows
    )
