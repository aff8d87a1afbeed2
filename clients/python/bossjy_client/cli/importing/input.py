"""Input of `bossjy import`: an unchanged file, a converted file, or standard input."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.config import ClientConfig
from bossjy_client.errors import SourceError
from bossjy_client.import_advice import SAMPLE_BYTES
from bossjy_client.opening import TableSource, convert_stream, path_document
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.live import PeekedStream
from bossjy_client.readers.registry import OptionError, convert
from bossjy_client.sources import Source
from bossjy_client.stream_source import StreamSource
from bossjy_client.tables import TableRows


@dataclass(slots=True)
class ImportInput:
    """One input of an import."""

    name: str
    path: Path | None
    """None: standard input, which cannot be read again."""
    table: TableRows | None
    """Set if the file is converted here."""
    stream: PeekedStream | None = None
    """Set if standard input is sent unchanged."""

    @property
    def row_count(self) -> int | None:
        """The number of rows, if known in advance."""
        return self.table.row_count if self.table else None

    @property
    def note(self) -> str:
        """A message for people about the reading of the file; empty if there is none."""
        return self.table.note if self.table else ""

    def source(self, parts: int = 1) -> Path | Source:
        """The source of an upload in at most `parts` parts. May be called once."""
        if self.table is not None and self.path is not None and parts > 1 and self.table.has_parts:
            self.table.release()
            return self.path
        if self.table is not None:
            return TableSource(self.table, spool_bytes=ClientConfig().spool_bytes)
        if self.path is not None:
            return self.path
        assert self.stream is not None  # noqa: S101 - one of the three is set
        return StreamSource(self.stream, self.name)

    def describe(self, spec: import_pb2.ImportSpec) -> None:
        """Set in `spec` the known properties of the sent bytes."""
        if self.table is not None:
            self.table.describe(spec.source)

    def sample(self) -> tuple[bytes, bool]:
        """The first bytes of the upload, and True if they are all. `source` returns them again.

        Of standard input, the available bytes: it waits only for the first ones.
        """
        if self.stream is not None:
            return self.stream.sample(SAMPLE_BYTES)
        if self.table is None:
            assert self.path is not None  # noqa: S101 - one of the three is set
            try:
                with self.path.open("rb") as file:
                    data = file.read(SAMPLE_BYTES + 1)
            except OSError as error:
                raise SourceError(f"{self.path}: {error.strerror}") from error
            return data[:SAMPLE_BYTES], len(data) <= SAMPLE_BYTES
        taken, size, ended = [], 0, True
        for piece in self.table.pieces:
            taken.append(piece)
            size += len(piece)
            if size > SAMPLE_BYTES:
                ended = False
                break
        self.table = replace(self.table, pieces=chain(taken, self.table.pieces))
        return b"".join(taken if ended else taken[:-1] or [taken[0][:SAMPLE_BYTES]]), ended


def input_of(args: argparse.Namespace, file: str) -> ImportInput:
    """Detect the type of a file, with the options of the command. Raises SourceError, UsageError."""
    columns = tuple(text.partition("=")[2] for text in args.map)
    options = ReadOptions(args.sheet, args.records, args.skip_hidden_rows, args.encoding, columns)
    return open_input(file, args.sheet, options)


def open_input(file: str, sheet: str = "", options: ReadOptions | None = None) -> ImportInput:
    """Detect the type of a file. Raises SourceError, UsageError."""
    options = options or ReadOptions(sheet=sheet)
    try:
        if file == "-":
            # Unbuffered: a blocked read would keep the buffer's lock when the program ends.
            stream = PeekedStream(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
            table = convert_stream(stream, "standard input", ClientConfig(), options)
            return ImportInput("standard input", None, table, None if table else stream)
        path = Path(file)
        return ImportInput(path.name, path, convert(path_document(path), options))
    except OptionError as error:
        raise UsageError(str(error)) from error
