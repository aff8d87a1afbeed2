"""Files of other formats by their first bytes: named to callers who send them, with what reads them."""

from __future__ import annotations

import re

from bossjy_server.errors import InvalidArgument, Reason

_CONVERTED = "the Python client and `bossjy import` convert it; other clients send CSV, TSV, JSON lines or Arrow"
_EXPORT = "export the list as CSV from the program that made it"
# No text begins so.
_BEGINS = {
    b"PK\x03\x04": ("a workbook or a ZIP archive", _CONVERTED),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old workbook", _CONVERTED),
    b"PAR1": ("a Parquet file", _CONVERTED),
    b"ORC\n": ("an ORC file", _CONVERTED),
    b"FEA1": ("a Feather file", _CONVERTED),
    b"BZh": ("compressed with bzip2", _CONVERTED),
    b"\xfd7zXZ\0": ("compressed with xz", _CONVERTED),
    b"\x1f\x8b": ("compressed twice", _CONVERTED),
    b"\x28\xb5\x2f\xfd": ("compressed twice", _CONVERTED),
    b"\xff\xfe\0\0": ("text in UTF-32", _CONVERTED),
    b"\0\0\xfe\xff": ("text in UTF-32", _CONVERTED),
    b"%PDF-": ("a PDF document", _EXPORT),
    b"{\\rtf": ("a text document (RTF)", _EXPORT),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "unpack it"),
    b"Rar!\x1a": ("a RAR archive", "unpack it"),
    b"SQLite format 3\0": ("an SQLite database", _EXPORT),
}
_CARD = re.compile(rb"\s*BEGIN:VCARD\s", re.IGNORECASE)
_PAGE = re.compile(rb"\s*(?:<!doctype\s+html|<html|<table|<head|<meta|<body|<\?xml)\b", re.IGNORECASE)
_START = 4096


def check_form(plain: bytes, *, complete: bool) -> None:
    """Raises InvalidArgument for bytes that are no delimited text, JSON lines or Arrow, and for no bytes at all."""
    found = next((named for begin, named in _BEGINS.items() if plain.startswith(begin)), None)
    text = plain.removeprefix(b"\xef\xbb\xbf")[:_START]
    if found is not None:
        raise _refused(*found)
    if _CARD.match(text):
        raise _refused("a vCard file", _CONVERTED)
    if _PAGE.match(text):
        raise _refused("an HTML page or XML", _CONVERTED)
    if complete and len(plain) < _START and not plain.strip(b" \t\r\n\0\x1a\xef\xbb\xbf\xff\xfe"):
        raise _refused("empty", "export the list again")


def _refused(what: str, advice: str) -> InvalidArgument:
    return InvalidArgument(Reason.FORMAT_UNSUPPORTED, f"the file is {what}: {advice}")
