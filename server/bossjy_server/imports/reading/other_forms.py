"""Detection of other file formats by their first bytes, each with its name and the program that reads it."""

from __future__ import annotations

import re

from bossjy_server.errors import InvalidArgument, Reason

_CONVERTED = "the Python client and `bossjy import` convert it; other clients send CSV, TSV, JSON lines or Arrow"
_UNPACK = "unpack it, and send the file in it"
_EXPORT = "export the list as CSV from the program that made it"
# Beginnings that no text has, the format, and the advice.
_BINARY = (
    (b"PK\x03\x04", "a workbook or a ZIP archive", _CONVERTED),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old workbook", _CONVERTED),
    (b"PAR1", "a Parquet file", _CONVERTED),
    (b"ORC", "an ORC file", _CONVERTED),
    (b"FEA1", "a Feather file of version 1", _CONVERTED),
    (b"BZh", "compressed with bzip2", _CONVERTED),
    (b"\xfd7zXZ\0", "compressed with xz", _CONVERTED),
    (b"\x1f\x8b", "compressed twice", _CONVERTED),
    (b"\x28\xb5\x2f\xfd", "compressed twice", _CONVERTED),
    (b"\xff\xfe\0\0", "text in UTF-32", _CONVERTED),
    (b"\0\0\xfe\xff", "text in UTF-32", _CONVERTED),
    (b"\x04\x22\x4d\x18", "compressed with LZ4", f"{_UNPACK}, or send gzip or Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"SQLite format 3\0", "an SQLite database", _EXPORT),
    (b"%PDF-", "a PDF document", _EXPORT),
    (b"{\\rtf", "a text document (RTF)", _EXPORT),
    (b"\x89PNG", "an image", _EXPORT),
    (b"\xff\xd8\xff", "an image", _EXPORT),
    (b"GIF8", "an image", _EXPORT),
)
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_PAGE = re.compile(
    r"(?is)(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|(?:html|head|body|table|meta|style|\?xml|workbook|worksheet|"
    r"ss:workbook|rss|root)\b|!--)"
)
_CARD = re.compile(r"BEGIN:VCARD\s", re.IGNORECASE)
_LONGEST = 2000


def check_binary(plain: bytes) -> None:
    """Raises InvalidArgument(FORMAT_UNSUPPORTED) for bytes that are not text, with the format."""
    for start, form, advice in _BINARY:
        if plain.startswith(start) and (start != b"BZh" or _BZIP2.match(plain)):
            raise _unsupported(form, advice)


def check_text(text: bytes, *, final: bool) -> None:
    """Raises InvalidArgument(FORMAT_UNSUPPORTED) for an empty file, and for text that is HTML, XML or vCards."""
    start = text[:_LONGEST].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not start and final and not text.strip(b"\xef\xbb\xbf \t\r\n\0\x1a"):
        raise _unsupported("empty", "export the list again, and check the name of the file")
    if _PAGE.match(start):
        raise _unsupported("an HTML page or XML", _CONVERTED)
    if _CARD.match(start):
        raise _unsupported("a vCard file", _CONVERTED)


def _unsupported(form: str, advice: str) -> InvalidArgument:
    return InvalidArgument(Reason.FORMAT_UNSUPPORTED, f"the file is {form}: {advice}")
