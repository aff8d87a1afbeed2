"""Cleaning of Arrow data: batches, tables and readers in, the same rows with columns of answers out.

The one interface for data frames and engines; the adapters (`spark`, `ray`, `polars`, `duckdb`) only connect it. Needs
pyarrow: `bossjy-numbering[arrow]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bossjy_numbering.answer_columns import COLUMNS, TYPES, answer_columns
from bossjy_numbering.plan import load_plan

# Larger batches are cleaned in parts: memory stays flat, and texts stay below Arrow's limit of 2 GiB.
MOST_ROWS = 262_144


class Options(TypedDict, total=False):
    """The options of `Cleaner` by name."""

    default_region: str | None
    region_column: str | None
    prefix: str
    columns: tuple[str, ...]
    dictionaries: bool
    cache_dir: Path | None


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Cleans one column of Arrow data. Pickles as its options: each process loads the plan at its first batch.

    ValueError for options that contradict each other or name a column that does not exist.
    """

    # Name of the column with the texts: string, large_string, string_view, or a dictionary of one.
    column: str = "phone_number"
    # The region of texts without a calling code: one for all rows, or the name of a column with one for each row.
    default_region: str | None = None
    region_column: str | None = None
    # Before the name of each added column. A name that the data already has is refused, never overwritten.
    prefix: str = "phone_"
    # Added columns, of `TYPES`. `warnings` costs some time, `correction` up to a millisecond for each invalid text.
    columns: tuple[str, ...] = COLUMNS
    # Names (type, region, reason) as dictionaries instead of plain texts.
    dictionaries: bool = False
    # Folder of the plan's tables, if the package does not contain those of the installed `phonenumbers`.
    cache_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.default_region is not None and self.region_column is not None:
            raise ValueError("give a default region for all rows or a column of them, not both")
        unknown = [name for name in self.columns if name not in TYPES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no column of answers: choose from {', '.join(TYPES)}")

    def added(self) -> pa.Schema:
        """The added columns."""
        kinds = {name: TYPES[name] for name in self.columns}
        if self.dictionaries:
            kinds |= {name: pa.dictionary(pa.int16(), pa.string()) for name in kinds if name in _NAMED}
        return pa.schema([pa.field(self.prefix + name, kind) for name, kind in kinds.items()])

    def schema(self, given: pa.Schema) -> pa.Schema:
        """The columns of the result for data with the columns `given`: these, then those of `added`.

        KeyError if a column is missing, TypeError if it does not contain texts, ValueError if a name is already used.
        """
        self._check(given, self.column)
        if self.region_column is not None:
            self._check(given, self.region_column)
        added = self.added()
        taken = sorted(set(given.names) & set(added.names))
        if taken:
            raise ValueError(f"the data already has a column {taken[0]!r}: choose another prefix than {self.prefix!r}")
        metadata: Any = given.metadata
        return pa.schema([*given, *added], metadata=metadata)

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the added columns. Errors as in `schema`."""
        schema = self.schema(batch.schema)
        regions = None if self.region_column is None else batch.column(self.region_column)
        answers = self.answers(batch.column(self.column), regions)
        return pa.RecordBatch.from_arrays([*batch.columns, *answers], schema=schema)

    def answers(self, texts: Any, regions: Any = None) -> list[pa.Array[Any]]:
        """The added columns for an array of texts. `regions`: an array of them (default: `default_region`)."""
        plan = load_plan(self.cache_dir)
        regions = self.default_region if regions is None else regions
        return answer_columns(plan, texts, regions, self.columns, dictionaries=self.dictionaries)

    def batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Each batch with the added columns, as soon as it arrives; those over MOST_ROWS rows in parts."""
        for batch in batches:
            for begin in range(0, max(1, batch.num_rows), MOST_ROWS):
                yield self.batch(batch.slice(begin, MOST_ROWS))

    def reader(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """A reader of the rows of `reader` with the added columns. It holds one batch at a time."""
        return pa.RecordBatchReader.from_batches(self.schema(reader.schema), self.batches(reader))

    def table(self, table: pa.Table) -> pa.Table:
        """The table with the added columns. Its own columns are not copied."""
        schema = self.schema(table.schema)
        return pa.Table.from_batches(self.batches(table.to_batches()), schema)

    @staticmethod
    def _check(given: pa.Schema, name: str) -> None:
        if given.names.count(name) != 1:
            times = given.names.count(name)
            raise KeyError(f"{times} columns are named {name!r}, one is needed; columns: {', '.join(given.names)}")
        kind: Any = given.field(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
        if not any(test(kind) for test in tests):
            raise TypeError(f"column {name!r} is {kind}: cast it to string first")


_NAMED = frozenset({"reason", "type", "region", "possibility", "warnings", "correction_kind"})


def clean_batches(
    batches: Iterable[pa.RecordBatch], column: str = "phone_number", **options: Unpack[Options]
) -> Iterator[pa.RecordBatch]:
    """Record batches with the columns of answers. See `Cleaner` for the options and errors."""
    return Cleaner(column, **options).batches(batches)


def clean_table(
    data: pa.Table | pa.RecordBatch | pa.RecordBatchReader, column: str = "phone_number", **options: Unpack[Options]
) -> pa.Table:
    """A table, a batch, or the rest of a reader as a table with the columns of answers. See `Cleaner`."""
    cleaner = Cleaner(column, **options)
    if isinstance(data, pa.RecordBatchReader):
        return cleaner.reader(data).read_all()
    return cleaner.table(pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data)


def clean_reader(
    reader: pa.RecordBatchReader, column: str = "phone_number", **options: Unpack[Options]
) -> pa.RecordBatchReader:
    """A reader of the rows of `reader` with the columns of answers. See `Cleaner`."""
    return Cleaner(column, **options).reader(reader)


def distinct_rows(table: pa.Table, column: str = "phone_e164") -> pa.Table:
    """The first row for each value of a column, in the order of the table; null counts as one value."""
    numbered = pa.table({"value": table.column(column), "row": np.arange(table.num_rows)})
    firsts = numbered.group_by("value").aggregate([("row", "min")]).column("row_min")
    return table.take(firsts.take(pc.sort_indices(firsts)))
