"""Tables of files that the client converts: CSV or JSON lines piece by piece, never in memory as a whole.

The same file gives the same bytes each time, so an interrupted upload can continue.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits

# Whole floating-point numbers below this have all their digits.
EXACT_BELOW = 2**53
_MAGIC_BYTES = 8
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table of a file. `pieces` are the uploaded bytes: CSV in UTF-8, unless `form` says otherwise."""

    name: str
    row_count: int | None
    """Approximate rows of the table, for a progress bar. None if not known."""
    has_header: bool | None
    """True if the first row has the column names; None if not known."""
    pieces: Iterator[bytes]
    form: import_pb2.FileFormat.ValueType | None = import_pb2.FILE_FORMAT_CSV
    """Form of the pieces; None: the service detects it."""
    encoding: str = "utf-8"
    """Encoding of the pieces; if empty, the service detects it."""
    note: str = ""
    """A message for people about the reading of the file."""
    has_parts: bool = False
    """True if parts of the file can be read independently: see `parquet_parts`."""
    release: Callable[[], None] = lambda: None
    """Releases the resources of the table, such as a temporary file."""

    def describe(self, form: import_pb2.SourceFormat) -> None:
        """Set in `form` the properties of the sent bytes."""
        form.compression = import_pb2.COMPRESSION_NONE
        if self.encoding:
            form.encoding = self.encoding
        if self.form is None:
            return
        form.format = self.form
        if self.form == import_pb2.FILE_FORMAT_CSV:
            form.delimiter, form.quote = ",", '"'
        if self.has_header and not form.header:
            form.header = import_pb2.HEADER_PRESENT


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
    """True if the first bytes may be those of a workbook: XLSX, XLSB and ODS are ZIP, XLS is OLE."""
    return head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))


def first_bytes(path: Path) -> bytes:
    """Enough bytes to detect the format of a file. Raises SourceError."""
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


def csv_pieces(rows: Iterable[Sequence[str]], label: str, limits: ReaderLimits) -> Iterator[bytes]:
    """Rows as pieces of CSV. Raises SourceError for a row beyond the limits."""
    source, line = iter(rows), 0
    while batch := list(islice(source, _ROWS_AT_ONCE)):
        for row in batch:
            line += 1
            if len(row) > limits.columns:
                raise SourceError(f"{label}: row {line} has more than {limits.columns:,} cells (columns)")
            if row and max(map(len, row)) > limits.cell_characters:
                raise SourceError(
                    f"{label}: row {line} has a cell of more than {limits.cell_characters:,} characters "
                    "(cell_characters)"
                )
        yield csv_lines(batch)


def cell_text(value: object) -> str:
    """A cell of a spreadsheet as the text that a person sees: whole numbers without a point, dates by ISO 8601."""
    text = str(value)  # a date or a time is ISO 8601 by itself
    match value:
        case None:
            text = ""
        case bool():
            text = text.upper()
        case float() if value.is_integer() and abs(value) < EXACT_BELOW:
            text = str(int(value))
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            text = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        case _:
            pass
    return text
