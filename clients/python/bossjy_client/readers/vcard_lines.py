"""Properties of vCards 2.1, 3.0 and 4.0: folded lines, quoted-printable, character sets, parameters."""

from __future__ import annotations

import codecs
import quopri
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.readers.text import is_chinese, opened_text

# Pictures, sounds and keys, which are not imported; their lines are the longest.
_BINARY = frozenset({b"PHOTO", b"LOGO", b"SOUND", b"KEY"})
_NAME = re.compile(rb"\s*(?:[\w-]+\.)?([\w-]+)")
_PARAMETER = re.compile(rb";\s*([\w-]+)\s*(?:=((?:\"[^\"]*\"|[^\";:])*))?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED_PRINTABLE = re.compile(rb"[^:]*;\s*(?:ENCODING=)?\"?QUOTED-PRINTABLE", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a card."""

    name: str
    """In capitals, without a group."""
    types: frozenset[str]
    """Values of TYPE and parameters without a name, in lower case; `pref` for any preference."""
    value: str
    """The decoded text."""

    def parts(self, separator: str = ";") -> list[str]:
        """The value split at a separator that is not escaped, each part without escapes and surrounding white space."""
        return [unescaped(part) for part in _cut(self.value, separator)]

    @property
    def text(self) -> str:
        """The value without escapes."""
        return unescaped(self.value)


def unescaped(text: str) -> str:
    """The text without the escapes of 3.0 and 4.0, and without surrounding white space."""
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
    return text.strip()


def properties(document: Document, options: ReadOptions) -> Iterator[Property]:
    """The properties of all cards, BEGIN and END among them. Raises SourceError."""
    for line in _logical_lines(document):
        found = _NAME.match(line)
        if found is None or found[1].upper() in _BINARY:
            continue
        position, types, charset = _parameters(line, found.end())
        if line[position : position + 1] != b":":
            continue
        raw = line[position + 1 :]
        if "quoted-printable" in types:
            raw = quopri.decodestring(raw)
        name = found[1].decode("ascii", "replace").upper()
        yield Property(name, frozenset(types), _decoded(raw, charset, document, options))


def _parameters(line: bytes, position: int) -> tuple[int, set[str], str]:
    """The position after the parameters, the parameters that describe the property, and the character set."""
    types, charset = set[str](), ""
    while parameter := _PARAMETER.match(line, position):
        position = parameter.end()
        name = parameter[1].upper()
        values = (parameter[2] or b"").replace(b'"', b"").decode("ascii", "replace").lower()
        if name == b"CHARSET":
            charset = values
        elif name in {b"TYPE", b"ENCODING"}:
            types |= {value.strip() for value in values.split(",")}
        elif name == b"PREF" or parameter[2] is None:
            types.add(name.decode("ascii", "replace").lower())
    return position, types, charset


def _cut(text: str, separator: str) -> list[str]:
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == separator:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def _decoded(raw: bytes, charset: str, document: Document, options: ReadOptions) -> str:
    for codec in filter(None, (charset, options.encoding, "utf-8")):
        with suppress(UnicodeDecodeError, LookupError):
            codecs.lookup(codec)
            return raw.decode(codec)
    if is_chinese(raw):
        with suppress(UnicodeDecodeError):
            return raw.decode("gb18030")
    raise SourceError(f"{document.label}: a card is not UTF-8: name its encoding with --encoding, such as windows-1252")


def _logical_lines(document: Document) -> Iterator[bytes]:
    """Lines with the folded ones joined. Bytes, because a fold may split a character."""
    longest, version = document.limits.record_characters, b""
    line: bytearray | None = None
    for physical in _physical_lines(document):
        if line is not None:
            if line.endswith(b"=") and _QUOTED_PRINTABLE.match(line):
                line[-1:] = physical.lstrip() if physical[:1] in b" \t" else physical
                continue
            if physical[:1] in {b" ", b"\t"}:
                # 2.1 folds before a space that belongs to the text.
                line += physical if version == b"2.1" else physical[1:]
                if len(line) > longest:
                    raise SourceError(
                        f"{document.label}: a property has more than {longest:,} bytes (record_characters)"
                    )
                continue
            yield bytes(line)
        line = bytearray(physical)
        if physical[:8].upper() == b"VERSION:":
            version = physical[8:].strip()
    if line is not None:
        yield bytes(line)


def _physical_lines(document: Document) -> Iterator[bytes]:
    longest = document.limits.record_characters
    if document.wide_encoding and document.wide_encoding != "utf-8-sig":
        with opened_text(document, document.wide_encoding) as text:
            while line := text.readline(longest + 1):
                yield line.removeprefix("\ufeff").rstrip("\r\n").encode()
        return
    with document.open() as stream:
        while raw := stream.readline(longest + 1):
            if len(raw) > longest:
                raise SourceError(f"{document.label}: a line has more than {longest:,} bytes (record_characters)")
            yield raw.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
