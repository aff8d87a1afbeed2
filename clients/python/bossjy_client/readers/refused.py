"""Formats that are not contact lists: each error names the format and a remedy."""

from __future__ import annotations

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.readers.reader import Reader
from bossjy_client.tables import TableRows

_EXPORT = "export the list as CSV or XLSX from the program that made it"
# First bytes of files that people take for lists.
_BEGINS: dict[bytes, tuple[str, str]] = {
    b"%PDF-": ("a PDF document", _EXPORT),
    b"{\\rtf": ("a text document (RTF)", "copy its table into a spreadsheet, and save that as XLSX"),
    b"SQLite format 3\0": ("an SQLite database", "export a table: `sqlite3 -csv -header FILE 'select * from TABLE'`"),
    b"\0\x01\0\0Standard ": ("an Access database", "export a table as CSV or XLSX"),
    b"Rar!": ("a RAR archive", "unpack it, and import the table in it"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "unpack it, and import the table in it"),
    b"\x89PNG\r\n": ("a picture", "a table in it cannot be read: find the list itself"),
    b"\xff\xd8\xff": ("a picture", "a table in it cannot be read: find the list itself"),
    b"GIF8": ("a picture", "a table in it cannot be read: find the list itself"),
    b"!BDN": ("an Outlook data file (PST)", "export the contacts from Outlook as CSV"),
    b"BEGIN:VCALENDAR": ("a calendar", "export the contacts as vCard or CSV"),
    b"MIME-Version:": ("a web archive or a mail", "open it in a spreadsheet program, and save it as XLSX"),
    b"$FL2": ("an SPSS file", "save it as CSV"),
    b"<stata_dta>": ("a Stata file", "save it as CSV"),
    b"HEADER RECORD*******": ("a SAS file", "save it as CSV"),
    b"Obj\x01": ("an Avro file", "write it as Parquet or JSON lines"),
    b"\x7fELF": ("a program", "find the list itself"),
    b"MZ\x90\0": ("a program", "find the list itself"),
}


def is_empty(document: Document) -> bool:
    """True if the document has only white space and end-of-file signs."""
    return len(document.head) < 64 * 1024 and not document.start.strip(" \t\r\n\0\x1a\ufeff")


def refuse_empty(document: Document, _options: ReadOptions) -> TableRows:
    """Raises SourceError."""
    raise SourceError(f"{document.label}: the file is empty: export the list again")


def _refused(begin: bytes, what: str, advice: str) -> Reader:
    def sniff(document: Document) -> bool:
        return document.head.startswith(begin)

    def refuse(document: Document, _options: ReadOptions) -> TableRows:
        raise SourceError(f"{document.label}: it is {what}: {advice}")

    return Reader(what, sniff, refuse, needs_file=False)


def _is_tar(document: Document) -> bool:
    return document.head[257:262] == b"ustar"


def _refuse_tar(document: Document, _options: ReadOptions) -> TableRows:
    raise SourceError(f"{document.label}: it is a TAR archive: unpack it, and import the tables in it")


def _is_xml(document: Document) -> bool:
    return document.start.lstrip()[:5] == "<?xml"


def _refuse_xml(document: Document, _options: ReadOptions) -> TableRows:
    raise SourceError(
        f"{document.label}: it is XML of an unsupported form: open it in a spreadsheet program, and save it as XLSX"
    )


READERS = (
    Reader("an empty file", is_empty, refuse_empty, needs_file=False),
    *(_refused(begin, what, advice) for begin, (what, advice) in _BEGINS.items()),
    Reader("a TAR archive", _is_tar, _refuse_tar, needs_file=False),
)
# After the XML that is read.
XML = Reader("XML", _is_xml, _refuse_xml, needs_file=False)
