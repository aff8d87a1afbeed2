"""Text of a document: its encoding, and UTF-32 as the UTF-8 that the service reads."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document, reading
from bossjy_client.tables import TableRows

_PIECE = 256 * 1024


def is_utf32(document: Document) -> bool:
    """True if the document is text in UTF-32."""
    return document.wide_encoding.startswith("utf-32")


def read_utf32(document: Document, _options: ReadOptions) -> TableRows:
    """The text in UTF-8; the service detects its form. Raises SourceError."""
    return TableRows(document.name, None, None, _utf8(document, document.wide_encoding), form=None, encoding="utf-8")


def encoding_of(document: Document, options: ReadOptions) -> str:
    """The encoding of a text document, which is read to its end. Raises SourceError."""
    if options.encoding:
        try:
            return codecs.lookup(options.encoding).name
        except LookupError as error:
            raise SourceError(f"{document.label}: `{options.encoding}` is not a known encoding") from error
    if document.wide_encoding:
        return document.wide_encoding
    if _decodes(document, "utf-8"):
        return "utf-8"
    if is_chinese(document.head) and _decodes(document, "gb18030"):
        return "gb18030"
    raise SourceError(f"{document.label}: it is not UTF-8: name its encoding with --encoding, such as gb18030")


@contextmanager
def opened_text(document: Document, encoding: str) -> Iterator[TextIO]:
    """The document as text with its original line ends. Raises SourceError."""
    with reading(document.label), document.open() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        yield text


def _utf8(document: Document, encoding: str) -> Iterator[bytes]:
    with opened_text(document, encoding) as text:
        while piece := text.read(_PIECE):
            yield piece.removeprefix("\ufeff").encode("utf-8", "replace")


def _decodes(document: Document, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with document.open() as stream:
        try:
            while data := stream.read(_PIECE):
                decoder.decode(data)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def is_chinese(head: bytes) -> bool:
    """True if the bytes above ASCII are pairs of GB 2312. Text in other encodings almost never has this form."""
    others = [sign for sign in head.decode("gb18030", "replace") if sign > "\x7f"]
    common = sum(bool(sign.encode("gb2312", "ignore")) for sign in others)
    return not others or common >= 0.9 * len(others)
