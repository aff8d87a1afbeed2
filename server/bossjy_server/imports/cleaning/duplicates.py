"""Duplicate rows: the kept data of rows that lost against another row of their import, and their missing values."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from bossjy_server.imports.cleaning.rejects import shown
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.layout import RowTexts

# Bits of a position for the byte offset; the bits above are the part.
OFFSET_BITS = 48
# Characters of JSON. Longer attributes of a row are not kept.
MOST_ATTRIBUTES = 8_000
_KEPT = ("position", "line", "e164", "extension", "name", "email", "other_numbers", "attributes")
# Characters of a value, as the contract says.
_SHOWN_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class RowValues:
    """The values of a row or a contact for a number."""

    extension: str
    name: str
    email: str
    other_numbers: tuple[str, ...]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A row that lost. `contact` is the present contact of its number. Lines are 0 if they are not known.

    `row_text` is empty if the row had won before. `winner` is (part, byte offset), or None if it is not known.
    """

    part: int
    line: int
    byte_offset: int
    e164: str
    winner: tuple[int, int] | None
    winner_line: int
    values: RowValues
    contact: RowValues | None
    row_text: str


_NOTHING = RowValues("", "", "", (), {})


@dataclass(frozen=True, slots=True)
class BlockRows:
    """The accepted rows of a block in the order of the file: a column for each of their values, and their texts."""

    table: pa.Table
    texts: RowTexts

    def lines(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The lines of the rows at some positions; of other positions, any line."""
        lines: NDArray[np.int32] = self.table.column("line").to_numpy()
        return lines[np.minimum(self._indices(positions), len(lines) - 1)].astype(np.int64)

    def lost(
        self, positions: NDArray[np.int64], winners: NDArray[np.int64], winner_lines: NDArray[np.int64]
    ) -> tuple[bytes, list[str]]:
        """The rows at some positions as COPY reads them, with positions and lines of their winners; and the columns."""
        indices = self._indices(positions)
        names = [name for name in _KEPT if name in self.table.column_names]
        chosen = self.table.select(names).take(indices)
        attributes = arrow.one_chunk(chosen.column("attributes"))
        if arrow.longest_bytes(attributes) > MOST_ATTRIBUTES:
            long = arrow.character_lengths(attributes) > MOST_ATTRIBUTES
            short = arrow.chosen(long, "{}", attributes)
            chosen = chosen.set_column(names.index("attributes"), "attributes", short)
        texts = [
            shown(self.texts.data, start, end)
            for start, end in zip(self.texts.starts[indices].tolist(), self.texts.ends[indices].tolist(), strict=True)
        ]
        chosen = chosen.append_column("row_text", arrow.text_column(texts))
        chosen = chosen.append_column("winner_position", pa.array(winners))
        chosen = chosen.append_column("winner_line", pa.array(winner_lines))
        sink = io.BytesIO()
        csv.write_csv(chosen, sink, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
        return sink.getvalue(), chosen.column_names

    def _indices(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self.table.column("position").to_numpy(), positions)


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a row, and the contact's value in its place. Both are truncated."""

    field: str
    value: str
    contact_value: str


def differences(row: DuplicateRow) -> list[Difference]:
    """The values of a row that its contact does not have. Attributes are named `attributes.KEY`."""
    mine, others = _texts(row.values), _texts(row.contact or _NOTHING)
    return [
        Difference(field, value[:_SHOWN_VALUE], others.get(field, "")[:_SHOWN_VALUE])
        for field, value in mine.items()
        if value and value != others.get(field, "")
    ]


def _texts(values: RowValues) -> dict[str, str]:
    return {
        "extension": values.extension,
        "name": values.name,
        "email": values.email,
        "other_numbers": ";".join(values.other_numbers),
        **{f"attributes.{key}": value for key, value in values.attributes.items()},
    }
