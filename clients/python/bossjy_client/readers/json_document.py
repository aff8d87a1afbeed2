"""JSON documents as JSON lines: an array of records, an array inside an object, and records with nested objects."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document, reading
from bossjy_client.readers.flat import is_nested, json_line
from bossjy_client.readers.json_text import DECODER, JsonText, outer_values
from bossjy_client.readers.sheets import is_number, listed, names_phone
from bossjy_client.readers.text import encoding_of, opened_text
from bossjy_client.tables import TableRows

# The longest row that the service accepts: a longer first line is a document.
_LONGEST_ROW = 1024 * 1024
_PIECE = 64 * 1024
_SAMPLE_LINES = 50
_OBJECT = re.compile(r'\{\s*["}]')
_ARRAY = re.compile(r"\[\s*[\[{\]]")


def is_document(document: Document) -> bool:
    """True if the document is JSON, but not JSON lines."""
    start = document.start.lstrip()
    if _ARRAY.match(start):
        return True
    if not _OBJECT.match(start):
        return False
    line, more = _first_line(document)
    if line is None:
        return True
    if (record := _object(line)) is None:
        # In JSON lines with a broken first line, the second line also begins with an object.
        return line.rstrip().endswith((",", "[", "{", ":")) or not more.lstrip(" \t").startswith("{")
    return not more.strip() and not _is_record(record) and any(map(_is_objects, _values(record)))


def has_nested_lines(document: Document) -> bool:
    """True if the document is JSON lines whose first records have nested objects."""
    if not _OBJECT.match(document.start.lstrip()):
        return False
    line, more = _first_line(document)
    if line is None or (first := _object(line)) is None:
        return False
    lines = more.splitlines()[:_SAMPLE_LINES]
    return is_nested(first) or any(is_nested(record) for one in lines if (record := _object(one)) is not None)


def read_document(document: Document, options: ReadOptions) -> TableRows:
    """The records of a document. Raises SourceError."""
    encoding = encoding_of(document, options)
    path, note = _chosen_path(document, options, encoding)
    pieces = _lines(document, encoding, path)
    return TableRows(
        document.name, None, None, pieces, form=import_pb2.FILE_FORMAT_JSONL, note=note, release=document.close
    )


def read_nested_lines(document: Document, options: ReadOptions) -> TableRows:
    """JSON lines with nested objects by dotted path; a line of the file stays a line."""
    encoding = options.encoding or document.wide_encoding or "utf-8-sig"
    return TableRows(
        document.name, None, None, _flat_lines(document, encoding), form=import_pb2.FILE_FORMAT_JSONL,
        release=document.close,
    )  # fmt: skip


def _first_line(document: Document) -> tuple[str | None, str]:
    """The first line with text, and the start of the rest; None for a line longer than any row."""
    text = document.start.lstrip()
    if "\n" not in text and "\r" not in text and len(document.head) >= 64 * 1024:
        text = (
            document.first(_LONGEST_ROW + 1)
            .decode(document.wide_encoding or "utf-8", "replace")
            .lstrip("\ufeff \t\r\n")
        )
        if "\n" not in text and len(text) > _LONGEST_ROW:
            return None, ""
    line, _, more = text.replace("\r", "\n").partition("\n")
    return line, more


def _object(line: str) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        return found if isinstance(found, dict) else None
    return None


def _is_record(record: Mapping[str, Any]) -> bool:
    """True if an object is itself a record: it has a number under a usual name."""
    return any(names_phone(key) and is_number(str(value)) for key, value in record.items())


def _is_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _values(record: Mapping[str, Any]) -> Iterator[object]:
    for value in record.values():
        yield value
        if isinstance(value, dict):
            yield from _values(value)


@dataclass(slots=True)
class _Outline:
    """The structure of a document, from reading it once."""

    documents: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    lists: Counter[str] = field(default_factory=Counter)
    scalars: dict[str, Any] = field(default_factory=dict)


def _outline(document: Document, encoding: str) -> _Outline:
    found = _Outline()
    with opened_text(document, encoding) as stream:
        text = JsonText(stream, document.label, document.limits)
        while text.next_sign():
            found.documents += 1
            for path, is_item, value in outer_values(text, nesting=document.limits.nesting):
                if isinstance(value, dict):
                    found.objects[path] += 1
                elif isinstance(value, list) and is_item:
                    found.lists[path] += 1
                elif not is_item and len(found.scalars) < 1000:
                    found.scalars[path] = value
    return found


def _chosen_path(document: Document, options: ReadOptions, encoding: str) -> tuple[str | None, str]:
    """The path of the array to read, None for consecutive objects; and a message for people."""
    if not options.records and _begins_with_records(document, encoding):
        return "", ""
    found = _outline(document, encoding)
    paths = list(found.objects)
    if options.records:
        if options.records not in found.objects:
            raise SourceError(
                f"{document.label}: it has no array of objects at `{options.records}`"
                + (f": choose one of {listed(paths)} with --records" if paths else "")
            )
        return options.records, ""
    if found.documents > 1 or _is_record(found.scalars):
        return None, ""
    if len(paths) == 1:
        return paths[0], f"the records are those of `{paths[0]}`" if paths[0] else ""
    if paths:
        counted = [f"{path or 'the document'} ({count:,})" for path, count in found.objects.items()]
        raise SourceError(
            f"{document.label}: it has several arrays of objects: choose with --records: {listed(counted)}"
        )
    if found.lists:
        raise SourceError(
            f"{document.label}: the items of its array are lists: write objects with names, or save it as CSV"
        )
    if found.scalars:
        return None, ""
    raise SourceError(f"{document.label}: the JSON document has no records")


def _begins_with_records(document: Document, encoding: str) -> bool:
    with opened_text(document, encoding) as stream:
        text = JsonText(stream, document.label, document.limits)
        if text.next_sign() != "[":
            return False
        text.take("[")
        return text.next_sign() == "{"


def _lines(document: Document, encoding: str, path: str | None) -> Iterator[bytes]:
    with opened_text(document, encoding) as stream:
        text = JsonText(stream, document.label, document.limits)
        piece = bytearray()
        while text.next_sign():
            values = (
                [(path, True, text.value())] if path is None else outer_values(text, nesting=document.limits.nesting)
            )
            for where, is_item, value in values:
                if is_item and where == path:
                    piece += _line(value, document)
                if len(piece) >= _PIECE:
                    yield bytes(piece)
                    piece.clear()
        yield bytes(piece)


def _line(value: object, document: Document) -> bytes:
    """A record, or another value in its place, which the service rejects as a row."""
    if isinstance(value, dict):
        return json_line(value, document.label, document.limits)
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")[: document.limits.cell_characters] + b"\n"


def _flat_lines(document: Document, encoding: str) -> Iterator[bytes]:
    """The available lines as one piece: a slow producer is uploaded as it produces."""
    longest = document.limits.record_characters
    decoder = codecs.getincrementaldecoder(encoding)()
    rest = ""
    with reading(document.label), document.open() as stream:
        read = getattr(stream, "read1", stream.read)
        while True:
            data = read(_PIECE)
            lines = (rest + decoder.decode(data, final=not data)).splitlines(keepends=True)
            rest = lines.pop() if lines and data and not lines[-1].endswith("\n") else ""
            if len(rest) > longest:
                raise SourceError(f"{document.label}: a line has more than {longest:,} characters (record_characters)")
            if piece := b"".join(_flat_line(line, document) for line in lines):
                yield piece
            if not data:
                return


def _flat_line(line: str, document: Document) -> bytes:
    record: object = None
    with suppress(ValueError, RecursionError):
        record = DECODER.decode(line)
    if isinstance(record, dict):
        return json_line(record, document.label, document.limits)
    # The service reports the error.
    return line.rstrip("\r\n").encode("utf-8", "replace") + b"\n"
