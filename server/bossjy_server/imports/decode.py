"""The bytes of a part to blocks of rows: finds out what the file is, then reads it from wherever it was left."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace

import orjson

from bossjy_server.errors import FailedPrecondition, InvalidArgument, Reason
from bossjy_server.imports.layout import Layout, Place, RowBlock
from bossjy_server.imports.mapping import (
    column_names,
    field_of_name,
    likely_phone_column,
    looks_like_header,
    resolve_mapping,
)
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.records import ColumnMapping, Compression, ContactField, FileFormat, Header, Part, Spec
from bossjy_server.imports.scan import Incomplete, ScannedRow, scan_row
from bossjy_server.imports.split import split_rows

_ENCODINGS = ("", "utf-8", "utf8", "utf-8-sig", "us-ascii", "ascii")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found out of the first bytes, and where the first data row begins."""

    spec: Spec
    place: Place


def resolve(head: bytes, spec: Spec, options: ImportOptions, *, final: bool) -> Resolved | None:
    """What the file is. None if `head` is too short to say.

    Raises InvalidArgument where it cannot be read as was asked, FailedPrecondition where it has no phone column.
    """
    _check_source(spec)
    if len(head) < len(codecs.BOM_UTF8) and not final:
        return None
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    delimiter = spec.source.delimiter or ("\t" if spec.source.format is FileFormat.TSV else ",")
    quote = spec.source.quote or '"'
    layout = Layout(delimiter.encode(), quote.encode(), 0, options.max_row_bytes)
    place = Place(start, 1)
    columns, header = spec.source.columns, Header.ABSENT
    first = _first_row(head, start, layout, final=final)
    if first is None:
        return None
    row, line = first
    if row.fault is not None and not columns:
        raise _unreadable_header(options)
    cells = [cell.decode("utf-8", "replace") for cell in row.cells]
    if spec.source.header is Header.PRESENT or (spec.source.header is Header.FOUND_OUT and looks_like_header(cells)):
        header = Header.PRESENT
        place = Place(row.next, line + 1 + _extra_lines(head[row.start : row.next]))
    if len(columns) == 0:
        columns = column_names(cells if header is Header.PRESENT else [""] * len(cells))
    if len(columns) > options.max_columns:
        raise InvalidArgument(
            Reason.TOO_MANY_COLUMNS,
            f"the file has {len(columns)} columns, more than {options.max_columns}: is the delimiter right?",
            metadata={"limit": str(options.max_columns)},
        )
    source = replace(
        spec.source,
        format=spec.source.format or FileFormat.CSV,
        compression=Compression.NONE,
        encoding="utf-8",
        delimiter=delimiter,
        quote=quote,
        header=header,
        columns=columns,
    )
    asked = spec.mapping
    if header is Header.ABSENT and not any(one.field is ContactField.PHONE_NUMBER for one in asked):
        likely = likely_phone_column(cells)
        if 0 <= likely < len(columns) and not any(field_of_name(c) is ContactField.PHONE_NUMBER for c in columns):
            asked = (*asked, ColumnMapping(columns[likely], ContactField.PHONE_NUMBER))
    mapping = resolve_mapping(columns, asked, drop_unknown=spec.drop_unknown_columns)
    return Resolved(replace(spec, source=source, mapping=mapping), place)


def _check_source(spec: Spec) -> None:
    source = spec.source
    readable = source.format in (FileFormat.FOUND_OUT, FileFormat.CSV, FileFormat.TSV)
    if not readable or source.compression not in (Compression.FOUND_OUT, Compression.NONE):
        raise InvalidArgument(
            Reason.FORMAT_UNSUPPORTED, "this release reads CSV and TSV without compression: convert the file"
        )
    for sign in (source.delimiter, source.quote):
        if sign and (not sign.isascii() or sign in "\r\n\0"):
            raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "delimiter and quote must each be one ASCII character")
    if source.delimiter and source.delimiter == (source.quote or '"'):
        raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "delimiter and quote must differ")
    if source.encoding.casefold() not in _ENCODINGS:
        raise InvalidArgument(
            Reason.ENCODING_UNSUPPORTED,
            "this release reads UTF-8: convert the file",
            metadata={"encoding": source.encoding},
        )


def _first_row(head: bytes, start: int, layout: Layout, *, final: bool) -> tuple[ScannedRow, int] | None:
    """The first row that is not an empty line, and its line; an empty row for an empty file."""
    line = 1
    while True:
        try:
            row = scan_row(head, start, layout, final=final)
        except Incomplete:
            return None
        if row.end > row.start or row.next >= len(head):
            # An empty line at the end of what is there says nothing unless it is all there is.
            return (row, line) if final or row.end > row.start else None
        start, line = row.next, line + 1


def _unreadable_header(options: ImportOptions) -> InvalidArgument:
    return InvalidArgument(
        Reason.ROW_TOO_WIDE,
        "the first row cannot be read: check the delimiter, the quotes and the line ends",
        metadata={"limit_bytes": str(options.max_row_bytes)},
    )


def _extra_lines(row: bytes) -> int:
    """Lines that a row with line ends inside quotes takes beyond the first."""
    ends = row.count(b"\n") + row.count(b"\r") - row.count(b"\r\n")
    return max(0, ends - 1) if row.endswith((b"\n", b"\r")) else ends


class Reader:
    """Reads one part, block by block, from where it was committed last."""

    def __init__(self, resolved: Spec, part: Part, options: ImportOptions) -> None:
        source = resolved.source
        self._layout = Layout(
            source.delimiter.encode(), source.quote.encode(), len(source.columns), options.max_row_bytes
        )
        state = orjson.loads(part.decoder)
        self._place = Place(part.committed_offset, part.next_line, bool(state.get("skipping", False)))

    @property
    def place(self) -> Place:
        """Where the next block begins."""
        return self._place

    @property
    def state(self) -> str:
        """What must be known beside offset and line to go on here, as JSON."""
        return '{"skipping":true}' if self._place.skipping else "{}"

    def read(self, data: bytes, *, final: bool) -> RowBlock:
        """The complete rows at the front of `data`, which begins at `place`."""
        block = split_rows(data, self._place, self._layout, final=final)
        self._place = block.next
        return block


def missing_header() -> FailedPrecondition:
    """What a part is told whose header another part was to bring and did not."""
    return FailedPrecondition(
        Reason.UPLOAD_OUT_OF_ORDER, "part 0 tells the columns of the file: begin its upload first"
    )
