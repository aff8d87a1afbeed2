"""Staging of a block's contacts for the database: one row a number, in the order of the index, as COPY reads it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from bossjy_server.imports.cleaning.clean import CleanRows
from bossjy_server.imports.cleaning.duplicates import OFFSET_BITS, BlockRows
from bossjy_server.imports.records import DuplicatePolicy

# Greater lines are kept as 0: not known.
_MOST_LINES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class StagedRows:
    """`copy_text` is CSV in `columns` of `merge.STAGED_TABLE`, sorted by number; `positions` (n,) are its rows'."""

    copy_text: bytes
    columns: list[str]
    positions: NDArray[np.int64]
    # Positions of the rows that lost against another row of the same block, in the order of the file.
    lost: NDArray[np.int64]
    # Positions of the rows that won over these.
    lost_to: NDArray[np.int64]
    # None for a block without rows.
    rows: BlockRows | None

    @property
    def duplicate(self) -> int:
        """Rows that lost against another row of the same block."""
        return len(self.lost)


def stage(rows: CleanRows, part: int, policy: DuplicatePolicy) -> StagedRows:
    """Sort a block by number and keep one row for each. Inserts in the order of the index are much faster."""
    if len(rows) == 0:
        nothing = np.zeros(0, np.int64)
        return StagedRows(b"", [], nothing, nothing, nothing, None)
    # Columns that were not requested are not sent: the table has their defaults.
    labels = {"carrier": rows.carrier, "place": rows.place, "extension": rows.extension}
    table = pa.table(
        {
            "e164": rows.e164,
            "region": rows.region,
            "number_type": pa.array(rows.number_type),
            "name": rows.name,
            "email": rows.email,
            "other_numbers": rows.other_numbers,
            "attributes": rows.attributes,
            **{name: column for name, column in labels.items() if column is not None},
            "position": pa.array((part << OFFSET_BITS) | rows.offset),
            "line": pa.array(np.where(rows.line > _MOST_LINES, 0, rows.line).astype(np.int32)),
        }
    )
    order: Literal["ascending", "descending"] = "ascending" if policy is DuplicatePolicy.FIRST_WINS else "descending"
    indices = pc.sort_indices(table, sort_keys=[("e164", "ascending"), ("position", order)])
    sorted_numbers = table.column("e164").take(indices).combine_chunks()
    differs = pc.not_equal(sorted_numbers[1:], sorted_numbers[:-1]).to_numpy(zero_copy_only=False)
    first_of_number = np.concatenate((np.ones(1, np.bool_), differs))
    kept = table.take(indices.filter(pa.array(first_of_number)))
    lost = table.column("position").take(indices.filter(pa.array(~first_of_number))).to_numpy()
    sink = io.BytesIO()
    # All text is quoted, so that PostgreSQL reads none as NULL.
    csv.write_csv(kept, sink, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    positions = kept.column("position").to_numpy()
    lost_to = positions[(np.cumsum(first_of_number) - 1)[~first_of_number]]
    in_order = np.argsort(lost)
    return StagedRows(
        sink.getvalue(),
        kept.column_names,
        positions,
        lost[in_order],
        lost_to[in_order],
        BlockRows(table, rows.texts),
    )
