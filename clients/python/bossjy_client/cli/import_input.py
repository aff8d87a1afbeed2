"""What `bossjy import` reads: a file as it is, a table of a workbook or of Parquet as CSV, or standard input."""

from __future__ import annotations

import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.errors import SourceError
from bossjy_client.parquet import read_parquet
from bossjy_client.stream_source import Readable, StreamSource
from bossjy_client.tables import PieceStream, TableRows, first_bytes, is_parquet, is_workbook
from bossjy_client.workbook import read_sheet

SAMPLE_BYTES = 1024 * 1024
_HEAD_BYTES = 8
# Longest wait for more bytes of standard input that shall be looked at.
_GRACE_S = 0.2


class StandardInput:
    """Standard input as it comes, without a buffer whose lock a blocked read would keep when the program ends."""

    def __init__(self) -> None:
        self._raw: Readable = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        self._head = b""

    def head(self) -> bytes:
        """The first bytes, enough to tell a file's kind; they are read again by `read`."""
        while len(self._head) < _HEAD_BYTES and (data := self._raw.read(_HEAD_BYTES)):
            self._head += data
        return self._head

    def sample(self, size: int) -> tuple[bytes, bool]:
        """The bytes that are there, at most `size`, and whether they are all. `read` gives them again.

        It waits for the first bytes only: more are taken while the producer has them ready.
        """
        self.head()
        deadline = time.monotonic() + _GRACE_S
        while len(self._head) < size and self._is_ready(deadline - time.monotonic()):
            data = self._raw.read(size - len(self._head))
            if not data:
                return self._head, True
            self._head += data
        return self._head, False

    def _is_ready(self, wait_s: float) -> bool:
        try:
            return bool(select.select([sys.stdin.buffer], [], [], max(0.0, wait_s))[0])
        except (OSError, TypeError, ValueError):
            return False  # not a file, or a pipe of a system that cannot tell

    def read(self, size: int, /) -> bytes:
        """Return the available bytes, at most `size`; empty at the end."""
        data, self._head = self._head[:size], self._head[size:]
        return data or self._raw.read(size)


@dataclass(frozen=True, slots=True)
class ImportInput:
    """One thing to import."""

    name: str
    path: Path | None
    """None: standard input, which nobody can find again."""
    table: TableRows | None
    """Set where the file is read here and sent as CSV."""
    stream: StandardInput | None = None
    """Set for standard input."""

    @property
    def row_count(self) -> int | None:
        """Rows, where they are known before."""
        return self.table.row_count if self.table else None

    def source(self) -> Path | StreamSource:
        """What is uploaded. To be asked for once."""
        if self.table is not None:
            return StreamSource(PieceStream(self.table.pieces), self.name)
        return self.path or StreamSource(self.stream or sys.stdin.buffer, self.name)

    def describe(self, spec: import_pb2.ImportSpec) -> None:
        """Say in `spec` what is sent, where that is known."""
        if self.table is None:
            return
        form = spec.source
        form.format, form.encoding, form.delimiter = import_pb2.FILE_FORMAT_CSV, "utf-8", ","
        if self.table.has_header and not form.header:
            form.header = import_pb2.HEADER_PRESENT

    def sample(self) -> tuple[bytes, bool]:
        """The first bytes that would be sent, and whether they are all. Ends the table; open another to upload."""
        if self.path is None:
            return self.stream.sample(SAMPLE_BYTES) if self.stream else (b"", False)
        if self.table is None:
            try:
                with self.path.open("rb") as file:
                    data = file.read(SAMPLE_BYTES + 1)
            except OSError as error:
                raise SourceError(f"{self.path}: {error.strerror}") from error
            return data[:SAMPLE_BYTES], len(data) <= SAMPLE_BYTES
        sample = b""
        for piece in self.table.pieces:
            if len(sample) + len(piece) > SAMPLE_BYTES:
                return sample or piece[:SAMPLE_BYTES], False
            sample += piece
        return sample, True


def open_input(file: str, sheet: str = "") -> ImportInput:
    """Find out what a file is. Raises SourceError, UsageError."""
    if file == "-":
        stream = StandardInput()
        head = stream.head()
        if is_workbook(head) or is_parquet(head):
            raise UsageError("a workbook or a Parquet file cannot be read from a pipe: save it to a file")
        return ImportInput("standard input", None, None, stream)
    path = Path(file)
    head = first_bytes(path)
    if is_workbook(head):
        return ImportInput(path.name, path, read_sheet(path, sheet))
    if sheet:
        raise UsageError(f"{file} is no workbook: --sheet is for those")
    return ImportInput(path.name, path, read_parquet(path) if is_parquet(head) else None)
