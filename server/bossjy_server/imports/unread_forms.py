"""Files that are no list yet: PDF, HTML, archives, workbooks and others, told by how they begin."""

from __future__ import annotations

import re

from bossjy_server.errors import InvalidArgument, Reason

_SEND = "send CSV or JSON lines; the tool `bossjy import` reads workbooks, Parquet and vCards"
_UNPACK = "unpack it, and send the file that it holds"
_EXPORT = "export the list as CSV, and send that"
# Beginnings that no text has, what they are, and what to do.
_BINARY = (
    (b"PK\x03\x04", "a workbook or a ZIP archive", _SEND),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old workbook", _SEND),
    (b"PAR1", "a Parquet file", _SEND),
    (b"\x1f\x8b", "compressed twice with gzip", "send it compressed once"),
    (b"\x28\xb5\x2f\xfd", "compressed twice with Zstandard", "send it compressed once"),
    (b"BZh", "compressed with bzip2", f"{_UNPACK}, or send gzip or Zstandard"),
    (b"\xfd7zXZ\x00", "compressed with xz", f"{_UNPACK}, or send gzip or Zstandard"),
    (b"\x04\x22\x4d\x18", "compressed with LZ4", f"{_UNPACK}, or send gzip or Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"ORC", "an ORC file", _EXPORT),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"FEA1", "a Feather file of version 1", _EXPORT),
    (b"SQLite format 3\x00", "a SQLite database", _EXPORT),
    (b"%PDF-", "a PDF document", _EXPORT),
    (b"{\\rtf", "an RTF document", _EXPORT),
    (b"\x89PNG", "an image", _EXPORT),
    (b"\xff\xd8\xff", "an image", _EXPORT),
    (b"GIF8", "an image", _EXPORT),
    (b"\xff\xfe\x00\x00", "text in UTF-32", "convert it to UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32", "convert it to UTF-8"),
)
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_HTML = re.compile(r"(?is)(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body|table|meta|style)\b")
_XML = re.compile(r"<\?xml\b|<!--|<(?:Workbook|worksheet|ss:Workbook|rss|root)\b", re.IGNORECASE)
_CARD = re.compile(r"BEGIN:VCARD\s", re.IGNORECASE)
_LONGEST = 2000


def check_binary(plain: bytes) -> None:
    """Raises InvalidArgument(FORMAT_UNSUPPORTED) for bytes that are no text, with the cause."""
    for start, what, todo in _BINARY:
        if plain.startswith(start) and (start != b"BZh" or _BZIP2.match(plain)):
            raise _unsupported(what, todo)


def check_text(text: bytes, *, final: bool) -> None:
    """Raises InvalidArgument(FORMAT_UNSUPPORTED) for an empty file, and for text that is HTML, XML or vCards."""
    start = text[:_LONGEST].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not start and final and not text.strip(b"\xef\xbb\xbf \t\r\n\0\x1a"):
        raise _unsupported("empty", "check the name of the file and how it was exported")
    if _HTML.match(start):
        raise _unsupported("HTML, as some programs write under the name .xls", "save it as CSV or XLSX, and send that")
    if _XML.match(start):
        raise _unsupported("XML", "save it as CSV or XLSX, and send that")
    if _CARD.match(start):
        raise _unsupported("a list of vCards", _SEND)


def _unsupported(what: str, todo: str) -> InvalidArgument:
    return InvalidArgument(Reason.FORMAT_UNSUPPORTED, f"the file is {what}: {todo}")
