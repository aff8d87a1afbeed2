"""Rows of `bossjy phone bulk`: lines of a text file, or a CSV file of which one column has the numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from bossjy_client.cli.bulk_input import LINE_MAX, read_line
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.cli.messages import tr
from bossjy_client.columns.column import MESSAGE_BYTES, TEXT_MAX
from bossjy_client.errors import SourceError
from bossjy_client.phone_stream import BATCH_TEXTS

_DELIMITERS = ",;\t|"
# Rows wait in memory for their answers: bytes of the rows of one message.
_ROW_BYTES = 4 * MESSAGE_BYTES

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class BulkTable:
    """The columns of a file, the place of the numbers among them, and its rows."""

    header: Sequence[str]
    number: int
    rows: Iterator[Row]

    def batches(self) -> Iterator[list[Row]]:
        """The rows in batches of one message each. Raises SourceError for a row that cannot be read."""
        batch: list[Row] = []
        size = kept = 0
        for row in self.rows:
            sent = row[self.number][:TEXT_MAX]
            length = len(sent) if sent.isascii() else 4 * len(sent)
            if batch and (len(batch) == BATCH_TEXTS or size + length > MESSAGE_BYTES or kept > _ROW_BYTES):
                yield batch
                batch, size, kept = [], 0, 0
            batch.append(row)
            size += length
            kept += sum(map(len, row))
        if batch:
            yield batch

    def texts(self, batch: Sequence[Row]) -> list[str]:
        """The texts of a batch to send."""
        return [row[self.number][:TEXT_MAX] for row in batch]


def read_table(file: TextIO, column: str) -> BulkTable:
    """The table of a file: a CSV file with a header if a column is named, else one text a line.

    Raises UsageError if there is no such column, SourceError if the file cannot be read.
    """
    lines = _lines(file)
    if not column:
        return BulkTable(("text",), 0, ((line,) for line in lines))
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    if column not in header:
        raise UsageError(
            tr(
                "--column: there is no column {column!r}: the columns are {names}",
                column=column,
                names=", ".join(header) or tr("none"),
            )
        )
    if len(set(header)) < len(header):
        raise SourceError(tr("two columns have the same name: {names}", names=", ".join(header)))
    return BulkTable(header, header.index(column), _csv_rows(lines, header, delimiter))


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    while (line := read_line(file, number + 1)) is not None:
        number += 1
        yield line


def _csv_rows(lines: Iterator[str], header: Sequence[str], delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LINE_MAX)
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(row) > len(header):
                raise SourceError(
                    tr(
                        "line {number} has {count} cells, and the header has {wanted}: quote cells that "
                        "contain {delimiter!r}",
                        number=reader.line_num + 1,
                        count=len(row),
                        wanted=len(header),
                        delimiter=delimiter,
                    )
                )
            if row:  # an empty line is no row
                yield row if len(row) == len(header) else [*row, *[""] * (len(header) - len(row))]
    except csv.Error as error:
        raise SourceError(tr("line {number} is no CSV: {error}", number=reader.line_num + 1, error=error)) from error
