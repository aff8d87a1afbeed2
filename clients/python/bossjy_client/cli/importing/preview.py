"""Output of the result of PreviewImport for people."""

from __future__ import annotations

from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy.phone.v1 import number_pb2
from bossjy_client.cli.importing.options import FIELD_WORDS
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import Output, enum_word

# Limits that fit a terminal.
_SHEET_COLUMNS, _SHEET_CHARACTERS = 8, 20
_DELIMITERS = {"\t": "tab", " ": "space"}


def show_preview(output: Output, preview: import_service_pb2.PreviewImportResponse) -> None:
    """Print the form of the file, its columns, and its first rows with their outcome."""
    resolved, form = preview.resolved, preview.resolved.source
    region = tr(
        "{region} ({share:.0%} of the numbers are valid there)",
        region=resolved.default_region,
        share=preview.region_confidence,
    )
    output.pairs(
        (
            ("form", enum_word(import_pb2.FileFormat.Name(form.format), "FILE_FORMAT_")),
            ("encoding", _with_reason(form.encoding, preview.encoding_evidence)),
            ("delimiter", _with_reason(_DELIMITERS.get(form.delimiter, form.delimiter), preview.delimiter_evidence)),
            ("header", enum_word(import_pb2.Header.Name(form.header), "HEADER_").lower()),
            ("region", region if resolved.default_region else tr("none: numbers need their calling code")),
        )
    )
    columns = (
        (
            number,
            column.column,
            FIELD_WORDS.get(column.field, "ignore"),
            f"{column.confidence:.0%}",
            column.evidence,
            " · ".join(column.samples[:3]),
        )
        for number, column in enumerate(preview.columns, 1)
    )
    output.table(("no.#", "column", "means", "sure#", "because", "such as"), columns, title="columns")
    output.table(("line#", "number", "region", "type", "outcome"), map(_row, preview.rows), title="first rows")


def show_sheet(output: Output, preview: import_service_pb2.PreviewImportResponse, rows: int) -> None:
    """Print the first rows of the file, by line, with the numbers of their columns."""
    shown = preview.sheet[:rows]
    width = min(_SHEET_COLUMNS, max((len(row.cells) for row in shown), default=0))
    cells = ((row.line, *(_short(cell) for cell in row.cells[:width])) for row in shown)
    padded = ((*row, *[""] * (width + 1 - len(row))) for row in cells)
    more = any(len(row.cells) > width for row in shown)
    title = tr("first lines of the file")
    if more:
        title = tr("first lines of the file, {width} columns of more", width=width)
    output.table(("line#", *(str(number) for number in range(1, width + 1))), padded, title=title)


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= _SHEET_CHARACTERS else f"{text[: _SHEET_CHARACTERS - 1]}…"


def _with_reason(value: str, reason: str) -> str:
    return f"{value} ({reason})" if reason else value


def _row(row: import_service_pb2.PreviewRow) -> tuple[object, ...]:
    number = row.number
    outcome = tr("accepted")
    if row.reason:
        outcome = enum_word(import_pb2.RejectReason.Name(row.reason), "REJECT_REASON_")
        outcome += tr(", perhaps {suggestion}", suggestion=row.suggestion) if row.suggestion else ""
    kind = enum_word(number_pb2.NumberType.Name(number.type), "NUMBER_TYPE_") if number.type else ""
    return row.line, number.e164, number.region_code, kind, outcome
