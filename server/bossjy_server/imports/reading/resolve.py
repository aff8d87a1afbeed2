"""File detection from the first bytes: compression, encoding, form, delimiter, header, and meaning of the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading import detect, header_row
from bossjy_server.imports.reading.dialect import with_dialect
from bossjy_server.imports.reading.first_columns import (
    SHEET_ROWS,
    Columns,
    SheetLine,
    header_row_invalid,
    lines_above,
    read_header,
    text_start,
    whole_sample,
)
from bossjy_server.imports.reading.inflate import read_plain
from bossjy_server.imports.reading.json_document import check_json
from bossjy_server.imports.reading.jsonl import object_of
from bossjy_server.imports.reading.layout import layout_of
from bossjy_server.imports.reading.mapping import (
    field_of_name,
    find_column,
    likely_phone_column,
    resolve_mapping,
)
from bossjy_server.imports.reading.other_forms import check_binary, check_text
from bossjy_server.imports.reading.own_export import is_own_export, own_mapping
from bossjy_server.imports.reading.phone_missing import phone_missing
from bossjy_server.imports.reading.transcode import IANA, to_utf8
from bossjy_server.imports.records import (
    ColumnMapping,
    ContactField,
    FileFormat,
    Header,
    Quoting,
    SourceFormat,
    Spec,
)

_LINE_ENDS = re.compile(rb"[\r\n]+")
# With fewer bytes the form is not certain.
_FEWEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Resolved:
    """The findings. `text_offset` is the start of the first data row after decompression; `line` its line."""

    spec: Spec
    text_offset: int
    line: int
    encoding_evidence: str
    delimiter_evidence: str
    # Line and cells of the first rows, including title rows and the header.
    sheet: Sequence[SheetLine] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file as rows: the request, the form with its columns, and the first cells."""

    spec: Spec
    source: SourceFormat
    columns: Columns
    encoding_evidence: str
    delimiter_evidence: str


def resolve(head: bytes, spec: Spec, options: ImportOptions, *, final: bool, hurry: bool = False) -> Resolved | None:
    """The findings about the file. None if `head` is too short for any. hurry: ASCII with a number is enough.

    Raises InvalidArgument if it cannot be read as requested, FailedPrecondition if it has no phone column.
    """
    found = read_head(head, spec, options, final=final, hurry=hurry)
    if found is None or (hurry and not final and not _has_number(found.columns)):
        return None
    return mapped(found)


def _has_number(columns: Columns) -> bool:
    return any(likely_phone_column(row) >= 0 for row in columns.rows)


def read_head(head: bytes, spec: Spec, options: ImportOptions, *, final: bool, hurry: bool = False) -> Head | None:
    """The form of the file and its first rows. None if `head` is too short for it.

    Raises InvalidArgument if the file cannot be read as requested.
    """
    _check_source(spec)
    if len(head) < _FEWEST_BYTES and not final:
        return None
    opened = read_plain(head, spec.source, options.max_row_bytes + 2 * detect.SAMPLE_BYTES, complete=final)
    plain, final = opened.text, opened.complete
    if opened.is_arrow:
        spec = of_arrow(spec)
    source = spec.source
    check_binary(plain)
    encoding = detect.find_encoding(
        plain[: detect.SAMPLE_BYTES],
        source.encoding,
        final=final and len(plain) <= detect.SAMPLE_BYTES,
        hurry=hurry,
    )
    if encoding is None:
        return None
    mark = detect.bom_length(plain, encoding.value)
    text = plain[mark:] if encoding.value == "utf-8" else _whole_lines(plain[mark:], encoding.value, final=final)
    if source.format is FileFormat.FOUND_OUT:
        check_json(text)
        if not source.columns:
            check_text(text, final=final)
    form, delimiter = _form(text, spec)
    if form is FileFormat.JSONL:
        source = replace(source, quote=source.quote or '"')
        columns = _keys(text, spec, mark, final=final)
    else:
        start = text_start(text, spec, options, final=final)
        if start is None:
            return None
        source = with_dialect(
            replace(source, delimiter=delimiter.value),
            whole_sample(text, start[0], final=final),
            final=final,
        )
        layout = layout_of(source, 0, options.max_row_bytes)
        columns = read_header(text, start, spec, layout, mark=mark, codec=encoding.value, final=final, options=options)
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
        header=columns.header,
        columns=columns.names,
        header_row=columns.header_row,
    )
    return Head(spec, found, columns, encoding.evidence, delimiter.evidence)


def mapped(head: Head) -> Resolved:
    """The meaning of the columns. Raises InvalidArgument(MAPPING_INVALID), FailedPrecondition(PHONE_COLUMN_MISSING)."""
    spec, columns = head.spec, head.columns
    named = tuple(replace(one, column=find_column(columns.names, one.column) or one.column) for one in spec.mapping)
    spec = replace(spec, mapping=named)
    own = is_own_export(columns.names)
    if own and spec.null_values is None:
        spec = replace(spec, null_values=())  # an export leaves empty values empty: its words are values
    asked = own_mapping(columns.names, spec.mapping) if own else _asked(spec, columns)
    cells = [[row[index] for row in columns.rows if index < len(row)] for index in range(len(columns.names))]
    mapping = resolve_mapping(columns.names, asked, drop_unknown=spec.drop_unknown_columns, cells=cells)
    if all(one.field is not ContactField.PHONE_NUMBER for one in mapping):
        raise phone_missing(columns.names, columns.header_row, columns.sheet, cells)
    return Resolved(
        replace(spec, source=head.source, mapping=mapping),
        columns.text_offset,
        columns.line,
        head.encoding_evidence,
        head.delimiter_evidence,
        columns.sheet,
    )


def _check_source(spec: Spec) -> None:
    source = spec.source
    for sign in (source.delimiter, source.quote, source.escape):
        if sign and (not sign.isascii() or sign in "\r\n\0"):
            raise InvalidArgument(
                Reason.FORMAT_UNSUPPORTED, "delimiter, quote and escape must each be one ASCII character"
            )
    if source.delimiter and source.delimiter in {source.quote or '"', source.escape}:
        raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "delimiter, quote and escape must differ")
    if source.header_row and source.header is Header.ABSENT:
        raise header_row_invalid(source.header_row, "`header` says that the file has none: leave out one of them")
    if source.header_row and source.skip_rows >= source.header_row:
        raise header_row_invalid(source.header_row, f"the first {source.skip_rows} lines are left out (`skip_rows`)")


def of_arrow(spec: Spec) -> Spec:
    """The same for the text that Arrow bytes become. Raises InvalidArgument for several parts."""
    if spec.part_count > 1:
        raise InvalidArgument(Reason.FORMAT_UNSUPPORTED, "Arrow comes in one part: only a whole stream can be read")
    text = SourceFormat(
        format=FileFormat.CSV, encoding="utf-8", delimiter=",", header=Header.PRESENT, columns=spec.source.columns
    )
    return replace(spec, source=text)


def _whole_lines(plain: bytes, codec: str, *, final: bool) -> bytes:
    """As UTF-8, without an incomplete character at the end."""
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
        return asked, detect.Found("\t", "tab, the delimiter of the form")
    named, start = header_row.separator_line(text)
    if named:
        return asked or FileFormat.CSV, detect.Found(named, "named by the line `sep=`")
    source = spec.source
    quote = b"" if source.quoting is Quoting.NONE else (source.quote or '"').encode()
    below = header_row.after_lines(text, lines_above(source), final=True)
    start = max(start, below if below < len(text) else 0)
    found = detect.find_delimiter(text[start : start + detect.SAMPLE_BYTES], quote, source.escape.encode())
    return FileFormat.CSV, found


def _keys(text: bytes, spec: Spec, mark: int, *, final: bool) -> Columns | None:
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
    if not final or len(text) > detect.SAMPLE_BYTES:
        # Later objects can have more keys.
        names = (*names, *(one.column for one in spec.mapping if not find_column(names, one.column)))
    rows = [[read.get(name, "") for name in names] for read in objects[: header_row.SAMPLE_ROWS]]
    sheet = [(line, cells) for line, cells in enumerate(rows[:SHEET_ROWS], 1)]
    return Columns(names, Header.ABSENT, rows, mark, 1, sheet)


def _asked(spec: Spec, columns: Columns) -> tuple[ColumnMapping, ...]:
    """The requested mapping, and for a file without a header also the column that looks like numbers."""
    asked = spec.mapping
    if columns.header is Header.PRESENT or any(one.field is ContactField.PHONE_NUMBER for one in asked):
        return asked
    if any(field_of_name(name) is ContactField.PHONE_NUMBER for name in columns.names):
        return asked
    likely = next((found for row in columns.rows if (found := likely_phone_column(row)) >= 0), -1)
    if not 0 <= likely < len(columns.names):
        return asked
    return (*asked, ColumnMapping(columns.names[likely], ContactField.PHONE_NUMBER))
