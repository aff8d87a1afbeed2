"""JSON documents other than JSON lines: an array, an object around one, an object on several lines."""

from __future__ import annotations

import re

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.detect import looks_like_jsonl
from bossjy_server.imports.reading.mapping import field_of_name
from bossjy_server.imports.records import ContactField

# The beginning of JSON documents other than JSON lines. A first row of delimited text does not begin so.
_JSON_START = 4096
_ARRAY = re.compile(rb"\[\s*(?:[\[{]|\Z)")
_ARRAY_IN_OBJECT = re.compile(
    rb'\{(?:\s*"[^"\\]{1,100}"\s*:\s*(?:"[^"\\]*"|[-+.\w]+)\s*,)*\s*"([^"\\]{1,100})"\s*:\s*\[\s*\{'
)
_OBJECT = re.compile(rb'\{[ \t]*[\r\n]\s*"[^"\\]{0,100}"\s*:')
_SECOND_OBJECT = re.compile(rb"\}[ \t]*[\r\n]\s*\{\s*\"")
_KEY = re.compile(rb'"([^"\\]{1,100})"\s*:')


def check_json(text: bytes) -> None:
    """Raises InvalidArgument for JSON that is one document: an array, or an object with an array in it."""
    start = text[:_JSON_START].lstrip()
    if _ARRAY.match(start):
        raise _one_document("a JSON array", ".[]")
    found = _ARRAY_IN_OBJECT.match(start)
    if found is not None and not _SECOND_OBJECT.search(text) and not _names_a_number(found.group()):
        name = found.group(1).decode("utf-8", "replace")
        raise _one_document(f"one JSON object with a list in `{name}`", f'."{name}"[]')
    if _OBJECT.match(start) and not looks_like_jsonl(start):
        raise _one_document("JSON with objects on several lines", ".")


def _names_a_number(start: bytes) -> bool:
    """True if the object is a row itself, with a list in it."""
    keys = (key.decode("utf-8", "replace") for key in _KEY.findall(start))
    return any(field_of_name(key) is ContactField.PHONE_NUMBER for key in keys)


def _one_document(what: str, path: str) -> InvalidArgument:
    return InvalidArgument(
        Reason.FORMAT_UNSUPPORTED,
        f"the file is {what}: the Python client and `bossjy import` convert it; other clients send JSON lines, one "
        f"object a line: `jq -c '{path}' FILE` writes them",
    )
