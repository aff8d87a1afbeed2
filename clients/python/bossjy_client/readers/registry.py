"""Registry of readers, and the conversion of a document to its table.

The service reads CSV, TSV, JSON lines and Arrow, plain or in gzip and Zstandard. No reader accepts these: they go to it
unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from bossjy_client.errors import BossjyError, SourceError
from bossjy_client.extras import missing_extra
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers import (
    archive,
    columnar,
    html_table,
    json_document,
    refused,
    spreadsheetml,
    text,
    vcard,
    workbook,
)
from bossjy_client.readers.document import Document, reading
from bossjy_client.readers.reader import Reader
from bossjy_client.tables import TableRows

_PIECE = 256 * 1024
_SHEETS = frozenset({"sheet", "skip_hidden_rows"})

# The first reader that recognises a document reads it.
READERS: tuple[Reader, ...] = (
    *refused.READERS,
    Reader("a workbook", workbook.is_workbook, workbook.read_workbook, takes=_SHEETS),
    Reader("a Parquet file", columnar.is_parquet, columnar.read_parquet),
    Reader("an ORC file", columnar.is_orc, columnar.read_orc),
    Reader("an Arrow file", columnar.is_special_arrow, columnar.read_arrow),
    Reader("a vCard file", vcard.is_vcard, vcard.read_vcard),
    Reader("a JSON document", json_document.is_document, json_document.read_document, takes=frozenset({"records"})),
    Reader("JSON lines", json_document.has_nested_lines, json_document.read_nested_lines, needs_file=False),
    Reader("SpreadsheetML", spreadsheetml.is_spreadsheetml, spreadsheetml.read_spreadsheetml, takes=_SHEETS),
    Reader("an HTML page", html_table.is_html, html_table.read_html, takes=frozenset({"sheet"})),
    refused.XML,
    Reader("text in UTF-32", text.is_utf32, text.read_utf32, needs_file=False),
)

_OPTIONS = {
    "sheet": "--sheet is for workbooks and pages",
    "skip_hidden_rows": "--skip-hidden-rows is for workbooks",
    "records": "--records is for JSON documents",
}


class OptionError(SourceError):
    """An option that the format of the file does not have."""


def reader_of(document: Document) -> Reader | None:
    """The reader of an uncompressed document; None if the service reads it. Raises SourceError."""
    return next((reader for reader in READERS if reader.sniff(document)), None)


def is_packed(document: Document) -> bool:
    """True if the document is compressed, or a ZIP archive other than a workbook. Raises SourceError."""
    if archive.opener_of(document) is not None:
        return True
    return archive.is_zip(document) and not workbook.is_workbook(document)


def convert(document: Document, options: ReadOptions) -> TableRows | None:
    """The table of a document; None if it goes to the service unchanged.

    Raises SourceError if it cannot be read, OptionError for an option that is not for its format.
    """
    with ExitStack() as opened:
        opened.enter_context(_any_error(document.label))
        opened.callback(document.close)
        outer = document
        while is_packed(document):
            document = archive.unpacked(document)
            opened.callback(document.close)
        reader = reader_of(document)
        _check_options(document, options, reader)
        if reader is not None:
            table = reader.read(document, options)
        elif document.depth == 0 or (document.depth == 1 and archive.is_service_compression(outer)):
            return None
        else:
            table = TableRows(document.name, None, None, _pieces(document), form=None, encoding="")
        return replace(table, pieces=_guarded(table.pieces, document.label), release=opened.pop_all().close)


def sheet_names(document: Document) -> list[str]:
    """The sheets of a workbook; none of another document. Raises SourceError."""
    try:
        with _any_error(document.label):
            return workbook.sheet_names(document) if workbook.is_workbook(document) else []
    finally:
        document.close()


@contextmanager
def _any_error(label: str) -> Iterator[None]:
    """Errors of libraries for a damaged file as SourceError: they have no common base."""
    try:
        yield
    except BossjyError:
        raise
    except Exception as error:
        if missing := missing_extra(error):
            raise missing from error
        raise SourceError(f"{label}: it is damaged or cannot be read: {type(error).__name__}: {error}") from error


def _guarded(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    with _any_error(label):
        yield from pieces


def _check_options(document: Document, options: ReadOptions, reader: Reader | None) -> None:
    takes = reader.takes if reader is not None else frozenset[str]()
    for name, what in _OPTIONS.items():
        if getattr(options, name) and name not in takes:
            raise OptionError(f"{document.label} is {reader.what if reader else 'text'}: {what}")


def _pieces(document: Document) -> Iterator[bytes]:
    with reading(document.label), document.open() as stream:
        while data := stream.read(_PIECE):
            yield data
