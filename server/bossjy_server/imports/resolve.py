"""What a file is, from its first bytes: compression, encoding, form, delimiter, header, and what its columns mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports import detect, header_row
from bossjy_server.imports.header_row import FirstRow
from bossjy_server.imports.inflate import read_plain
from bossjy_server.imports.json_document import check_json
from bossjy_server.imports.jsonl import object_of
from bossjy_server.imports.layout import Layout
from bossjy_server.imports.mapping import (
    column_names,
    field_of_name,
    likely_phone_column,
    resolve_mapping,
)
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.other_forms import check_form
from bossjy_server.imports.own_export import is_own_export, own_mapping
from bossjy_server.imports.records import ColumnMapping, ContactField, FileFormat, Header, SourceFormat, Spec
from bossjy_server.imports.scan import Incomplete, ScannedRow, scan_row
from bossjy_server.imports.transcode import IANA, to_utf8

_LINE_ENDS = re.compile(rb"[\r\n]+")
# Fewer do not say what they begin.
_FEWEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found out. `text_offset` is where the first data row begins, behind decompression; `line` its line."""

    spec: Spec
    text_offset: int
    line: int
    encoding_evidence: str
    delimiter_evidence: str


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    header: Header
    # The first rows of cells, without the header.
    rows: list[list[str]]
    text_offset: int
    line: int


def resolve(head: bytes, spec: Spec, options: ImportOptions, *, final: bool) -> Resolved | None:
    """What the file is. None if `head` is too short to say.

    Raises InvalidArgument where it cannot be read as was asked, FailedPrecondition where it has no phone column.
    """
    _check_source(spec)
    if len(head) < _FEWEST_BYTES and not final:
        return None
    opened = read_plain(head, spec.source, options.max_row_bytes + 2 * detect.SAMPLE_BYTES, complete=final)
    plain, final = opened.text, opened.complete
    if opened.is_arrow:
        spec = of_arrow(spec)
    source = spec.source
    check_form(plain, complete=final)
    encoding = detect.find_encoding(
        plain[: detect.SAMPLE_BYTES], source.encoding, final=final and len(plain) <= detect.SAMPLE_BYTES
    )
    if encoding is None:
        return None
    mark = detect.bom_length(plain, encoding.value)
    text = plain[mark:] if encoding.value == "utf-8" else _whole_lines(plain[mark:], encoding.value, final=final)
    if spec.source.format is FileFormat.FOUND_OUT:
        check_json(text)
    form, delimiter = _form(text, spec)
    quote = source.quote or '"'
    if form is FileFormat.JSONL:
        columns = _keys(text, spec, mark, final=final)
    else:
        layout = Layout(delimiter.value.encode(), quote.encode(), 0, options.max_row_bytes)
        columns = _header(text, plain, spec, layout, mark=mark, codec=encoding.value, final=final, options=options)
    if columns is None:
        return None
    if len(columns.names) > options.max_columns:
        raise InvalidArgument(
            Reason.TOO_MANY_COLUMNS,
            f"the file has more than {options.max_columns} columns: is the delimiter right?",
            metadata={"limit": str(options.max_columns)},
        )
    undecided = encoding.evidence == detect.ASCII_ALONE and not (final and len(plain) <= detect.SAMPLE_BYTES)
    found = replace(
        source,
        format=FileFormat.ARROW if opened.is_arrow else form,
        compression=opened.compression,
        encoding="us-ascii" if undecided else IANA[encoding.value],
        delimiter=delimiter.value,
        quote=quote,
        header=columns.header,
        columns=columns.names,
    )
    own = is_own_export(columns.names)
    if own and spec.null_values is None:
        spec = replace(spec, null_values=())  # an export leaves empty values empty: its words are values
    asked = own_mapping(columns.names, spec.mapping) if own else _asked(spec, columns)
    cells = [[row[index] for row in columns.rows if index < len(row)] for index in range(len(columns.names))]
    mapping = resolve_mapping(columns.names, asked, drop_unknown=spec.drop_unknown_columns, cells=cells)
    return Resolved(
        replace(spec, source=found, mapping=mapping),
        columns.text_offset,
        columns.line,
        encoding.evidence,
        delimiter.evidence,
    )


def _check_source(spec: Spec) -> None:
    source = spec.source
    for sign in (source.delimiter, source.quote):
        if sign and (not sign.isascii() or sign in "\r\n\0"):
            raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "delimiter and quote must each be one ASCII character")
    if source.delimiter and source.delimiter == (source.quote or '"'):
        raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "delimiter and quote must differ")


def of_arrow(spec: Spec) -> Spec:
    """The same for the text that Arrow bytes become. Raises InvalidArgument for several parts."""
    if spec.part_count > 1:
        raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "Arrow comes in one part: only a whole stream can be read")
    text = SourceFormat(
        format=FileFormat.CSV, encoding="utf-8", delimiter=",", header=Header.PRESENT, columns=spec.source.columns
    )
    return replace(spec, source=text)


def _whole_lines(plain: bytes, codec: str, *, final: bool) -> bytes:
    """As UTF-8, without a character that is cut at the end."""
    if final:
        return to_utf8(plain, codec)
    unit = 2 if codec.startswith("utf-16") else 1
    line_feed = "\n".encode(codec)
    end = plain.rfind(line_feed)
    while end >= 0 and end % unit:
        end = plain.rfind(line_feed, 0, end + len(line_feed) - 1)
    return to_utf8(plain[: end + len(line_feed)] if end >= 0 else b"", codec)


def _form(text: bytes, spec: Spec) -> tuple[FileFormat, detect.Found]:
    asked = spec.source.format
    if asked is FileFormat.JSONL or (asked is FileFormat.FOUND_OUT and detect.looks_like_jsonl(text)):
        return FileFormat.JSONL, detect.Found(",", "JSON lines have none")
    if spec.source.delimiter:
        return asked or FileFormat.CSV, detect.Found(spec.source.delimiter, "as asked")
    if asked is FileFormat.TSV:
        return asked, detect.Found("\t", "tab, as the form has it")
    named, start = header_row.separator_line(text)
    if named:
        return asked or FileFormat.CSV, detect.Found(named, "as the line `sep=` says")
    found = detect.find_delimiter(text[start : detect.SAMPLE_BYTES], (spec.source.quote or '"').encode())
    return FileFormat.CSV, found


def _keys(text: bytes, spec: Spec, mark: int, *, final: bool) -> _Columns | None:
    """The keys of the first objects, in their order."""
    lines = _LINE_ENDS.split(text[: detect.SAMPLE_BYTES])
    if not final or len(text) > detect.SAMPLE_BYTES:
        lines.pop()
    objects = [read for line in lines if (read := object_of(line.strip())) is not None]
    if not objects and not final:
        return None
    names = spec.source.columns or tuple(
        dict.fromkeys(key for read in objects for key in read if key and "\0" not in key)
    )
    rows = [[read.get(name, "") for name in names] for read in objects[: header_row.SAMPLE_ROWS]]
    return _Columns(names, Header.ABSENT, rows, mark, 1)


def _header(
    text: bytes,
    plain: bytes,
    spec: Spec,
    layout: Layout,
    *,
    mark: int,
    codec: str,
    final: bool,
    options: ImportOptions,
) -> _Columns | None:
    """Names from the row that is the header, or `column_N`."""
    start = header_row.separator_line(text)[1]
    first = _first_row(text, layout, start, 1 + bool(start), final=final)
    if first is None:
        if len(plain) > 4 * options.max_row_bytes:
            raise _unreadable(options)
        return None
    row, line = first
    columns = spec.source.columns
    if row.fault is not None and not columns:
        raise _unreadable(options)
    # One more than allowed says that there are too many.
    cells_max = options.max_columns + 1
    rows = header_row.first_rows(text, row.start, line, layout, cells_max, final=final) or [
        header_row.first_row(row, line, cells_max)
    ]
    position = _position(spec, rows)
    if position < 0 and not final and len(text) < detect.SAMPLE_BYTES and header_row.may_follow(rows):
        return None
    below = [one.cells for one in rows[position + 1 :]][: header_row.SAMPLE_ROWS]
    if position < 0:
        # The line `sep=;` is no row.
        before = mark + _encoded(text[:start], codec)
        return _Columns(
            columns or column_names([""] * len(rows[0].cells)), Header.ABSENT, below, before, 1 + bool(start)
        )
    header = rows[position]
    lines = header.line + 1 + header_row.extra_lines(text[header.row.start : header.row.next])
    behind = mark + _encoded(text[: header.row.next], codec)
    return _Columns(columns or column_names(header.cells), Header.PRESENT, below, behind, lines)


def _position(spec: Spec, rows: list[FirstRow]) -> int:
    """Which of the first rows is the header; -1 for none."""
    asked = spec.source.header
    if asked is Header.ABSENT:
        return -1
    if asked is Header.PRESENT and spec.source.columns:
        return 0
    found = header_row.header_position(rows, [one.column for one in spec.mapping])
    return max(found, 0) if asked is Header.PRESENT else found


def _encoded(text: bytes, codec: str) -> int:
    """How many bytes of the file are this text, which is UTF-8 here."""
    return len(text) if codec == "utf-8" else len(text.decode("utf-8", "replace").encode(codec, "replace"))


def _asked(spec: Spec, columns: _Columns) -> tuple[ColumnMapping, ...]:
    """What was asked, and for a file without a header the column that is written as numbers are."""
    asked = spec.mapping
    if columns.header is Header.PRESENT or any(one.field is ContactField.PHONE_NUMBER for one in asked):
        return asked
    if any(field_of_name(name) is ContactField.PHONE_NUMBER for name in columns.names):
        return asked
    likely = next((found for row in columns.rows if (found := likely_phone_column(row)) >= 0), -1)
    if not 0 <= likely < len(columns.names):
        return asked
    return (*asked, ColumnMapping(columns.names[likely], ContactField.PHONE_NUMBER))


def _first_row(text: bytes, layout: Layout, start: int, line: int, *, final: bool) -> tuple[ScannedRow, int] | None:
    """The first row from `start` that is not an empty line, and its line; an empty row for an empty file."""
    while True:
        try:
            row = scan_row(text, start, layout, final=final)
        except Incomplete:
            return None
        if row.end > row.start or row.next >= len(text):
            # An empty line at the end of what is there says nothing unless it is all there is.
            return (row, line) if final or row.end > row.start else None
        start, line = row.next, line + 1


def _unreadable(options: ImportOptions) -> InvalidArgument:
    return InvalidArgument(
        Reason.ROW_TOO_WIDE,
        "the first row cannot be read: check the delimiter, the quotes and the line ends",
        metadata={"limit_bytes": str(options.max_row_bytes)},
    )
