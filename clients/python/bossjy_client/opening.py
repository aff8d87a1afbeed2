"""Sources of an upload: files, streams, rows, frames; converted if the service does not read their format."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from bossjy.imports.v1 import import_pb2
from bossjy_client.config import ClientConfig
from bossjy_client.parts import cut
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers import archive
from bossjy_client.readers.columnar import parquet_parts, read_parquet
from bossjy_client.readers.document import HEAD_BYTES, Document
from bossjy_client.readers.frames import frame_table
from bossjy_client.readers.live import LiveDocument, PeekedStream
from bossjy_client.readers.records import record_table
from bossjy_client.readers.registry import convert, is_packed, reader_of
from bossjy_client.sources import FileSource, Source
from bossjy_client.stream_source import Readable, StreamSource
from bossjy_client.tables import PieceStream, TableRows

# `object`: frames of pandas and polars, and Arrow tables. This package does not import these libraries.
Uploadable: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | Readable
    | TextIO
    | FileSource
    | StreamSource
    | Iterable[Mapping[str, Any]]
    | object
)


class TableSource(StreamSource):
    """A converted table as a source."""

    def __init__(self, table: TableRows, *, spool_bytes: int) -> None:
        super().__init__(PieceStream(table.pieces), table.name, spool_bytes=spool_bytes)
        self._release = table.release

    def close(self) -> None:
        """Stop reading, and remove the spooled data."""
        super().close()
        self._release()


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of one upload, and their known properties."""

    sources: list[Source]
    table: TableRows | None = None
    """Set if the client converts the file."""
    is_text: bool = False
    """True if the bytes are text of the program, which is sent in UTF-8."""

    def describe(self, form: import_pb2.SourceFormat) -> None:
        """Set in `form` the known properties of the sent bytes."""
        if self.table is not None:
            self.table.describe(form)
        elif self.is_text:
            form.encoding = "utf-8"

    def close(self) -> None:
        """Release all resources."""
        for source in self.sources:
            source.close()


def open_upload(
    source: Uploadable, form: import_pb2.SourceFormat, *, parts: int, config: ClientConfig, options: ReadOptions
) -> Opened:
    """Open a source for an upload. Raises SourceError if that is impossible."""
    if isinstance(source, FileSource | StreamSource):
        return Opened([source])
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        table = convert(path_document(path, config), options)
        if table is not None and table.has_parts and parts > 1:
            table.release()
            return _parquet_parts(path, parts, config, options)
        return _of_table(table, config) if table is not None else Opened(_file_parts(path, parts, form))
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), config, options)
    if callable(getattr(source, "read", None)):
        return _of_stream(PeekedStream(source), stream_name(source), config, options)
    return _of_table(frame_table(source, config.reader_limits) or record_table(source, config.reader_limits), config)


def path_document(path: Path, config: ClientConfig | None = None) -> Document:
    """A file as a document. Raises SourceError."""
    config = config or ClientConfig()
    FileSource(path).close()  # raises if there is a problem
    return Document(
        path.name,
        lambda: path.open("rb"),
        limits=config.reader_limits,
        spool_bytes=config.spool_bytes,
        path=path,
    )


def convert_stream(stream: PeekedStream, name: str, config: ClientConfig, options: ReadOptions) -> TableRows | None:
    """The table of a stream; None for one that goes to the service unchanged. Raises SourceError.

    A stream of a format that is not read from front to end is spooled to disk, up to `spool_bytes`.
    """
    document = LiveDocument(name, stream, limits=config.reader_limits, spool_bytes=config.spool_bytes)
    if archive.is_service_compression(document):
        inner = archive.probe(document)
        if inner is None or not (is_packed(inner) or reader_of(inner)):
            return None
    try:
        if is_packed(document) or ((reader := reader_of(document)) is not None and reader.needs_file):
            document.file()
        return convert(document, options)
    except BaseException:
        document.close()
        raise


def stream_name(stream: object) -> str:
    """The file name of a stream, if it has one."""
    name = getattr(stream, "name", "")
    return Path(name).name if isinstance(name, str | os.PathLike) else ""


def _parquet_parts(path: Path, parts: int, config: ClientConfig, options: ReadOptions) -> Opened:
    """A Parquet file in parts of row groups: a part that is uploaded is not read again."""
    ranges = parquet_parts(path_document(path, config), parts)
    tables = [read_parquet(path_document(path, config), options, part) for part in ranges]
    return Opened([TableSource(table, spool_bytes=config.spool_bytes) for table in tables], tables[0])


def _of_table(table: TableRows, config: ClientConfig) -> Opened:
    return Opened([TableSource(table, spool_bytes=config.spool_bytes)], table)


def _of_bytes(data: bytes, config: ClientConfig, options: ReadOptions) -> Opened:
    document = Document(
        "",
        lambda: io.BytesIO(data),
        limits=config.reader_limits,
        spool_bytes=config.spool_bytes,
        head=data[:HEAD_BYTES],
    )
    table = convert(document, options)
    if table is not None:
        return _of_table(table, config)
    return Opened([StreamSource(io.BytesIO(data), spool_bytes=config.spool_bytes)])


def _of_stream(stream: PeekedStream, name: str, config: ClientConfig, options: ReadOptions) -> Opened:
    table = convert_stream(stream, name, config, options)
    if table is not None:
        return _of_table(table, config)
    return Opened([StreamSource(stream, name, spool_bytes=config.spool_bytes)], is_text=stream.is_text)


def _file_parts(path: Path, parts: int, form: import_pb2.SourceFormat) -> list[Source]:
    """The parts of a file; one if its lines are not rows. Raises SourceError."""
    # After an escape a line end belongs to a cell.
    by_lines = form.format != import_pb2.FILE_FORMAT_ARROW and not form.escape
    if parts < 2 or not by_lines or form.encoding.lower().startswith("utf-16"):
        return [FileSource(path)]
    quote = "" if form.quoting == import_pb2.QUOTING_NONE else form.quote or '"'
    runs = cut(path, parts, delimiter=form.delimiter, quote=quote)
    return [FileSource(path, start=start, end=end) for start, end in runs]
