"""Workbooks and Parquet files as CSV, row by row: the service reads text, and the file is never in memory as text.

The same file gives the same bytes each time, so an upload that was cut can go on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bossjy_client.errors import SourceError

# What a spreadsheet keeps of a number: 15 digits. Beyond that the digits are lost, and the service says so.
_EXACT_BELOW = 10**15
_MAGIC_BYTES = 8


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table of a file. `pieces` are bytes of one CSV file in UTF-8, header first if there is one."""

    name: str
    row_count: int
    """Rows of the table, about: for a progress bar."""
    has_header: bool | None
    """Whether the first row names the columns; None: not known."""
    pieces: Iterator[bytes]


class PieceStream:
    """Pieces of bytes as a stream that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return data


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is a workbook: XLSX, XLSB and ODS are ZIP, XLS is OLE."""
    return head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins so is Parquet."""
    return head.startswith(b"PAR1")


def first_bytes(path: Path) -> bytes:
    """As many as tell what a file is. Raises SourceError."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_BYTES)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as CSV. A line end inside a cell becomes a space, and an empty row an empty line: a line is a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        if any(row):
            writer.writerow([" ".join(cell.splitlines()) if "\n" in cell or "\r" in cell else cell for cell in row])
        else:
            text.write("\n")
    return text.getvalue().encode("utf-8", "replace")


def cell_text(value: object) -> str:
    """A cell of a spreadsheet as the text that a person sees: whole numbers without a point, dates by ISO 8601."""
    text = str(value)  # a date or a time is ISO 8601 by itself
    match value:
        case None:
            text = ""
        case bool():
            text = text.upper()
        case float() if value.is_integer() and abs(value) < _EXACT_BELOW:
            text = str(int(value))
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            text = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        case _:
            pass
    return text
