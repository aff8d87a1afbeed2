"""Rejection of U+0000 in the texts of requests: PostgreSQL does not store it, and C strings end at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor


@dataclass(slots=True)
class _Texts:
    """The text fields of a message, and the fields whose messages contain texts. `maps`: with texts as values."""

    single: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    messages: list[tuple[str, bool, _Texts]] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.single or self.repeated or self.maps or self.messages)


def nul_finder(message: Any) -> Callable[[Any, bytes], str | None] | None:
    """Finds the first text with U+0000 in messages of a descriptor's type; None if the type contains no text.

    It takes a message and the bytes from which it was read, and returns the path of the field, or None.
    """
    texts = _texts_of(message, {})
    if not texts.any:
        return None

    def find(request: Any, raw: bytes) -> str | None:
        # Most requests have no zero byte at all. Searching the number is several times faster than searching `b"\0"`.
        return next(_paths(request, texts, ""), None) if 0 in raw else None

    return find


def _texts_of(message: Any, known: dict[str, _Texts]) -> _Texts:
    """The text fields of a type. A type that contains itself leads back to the same entry of `known`."""
    if message.full_name in known:
        return known[message.full_name]
    texts = known[message.full_name] = _Texts()
    for one in message.fields:
        if one.message_type is not None and one.message_type.GetOptions().map_entry:
            kinds = {part.type for part in one.message_type.fields}
            if FieldDescriptor.TYPE_STRING in kinds:
                texts.maps.append(one.name)
        elif one.message_type is not None:
            inner = _texts_of(one.message_type, known)
            if inner.any or one.message_type is message:
                texts.messages.append((one.name, one.is_repeated, inner))
        elif one.type == FieldDescriptor.TYPE_STRING:
            (texts.repeated if one.is_repeated else texts.single).append(one.name)
    return texts


def _paths(message: Any, texts: _Texts, before: str) -> Iterator[str]:
    for name in texts.single:
        if "\0" in getattr(message, name):
            yield before + name
    for name in texts.repeated:
        yield from (f"{before}{name}[{index}]" for index, text in enumerate(getattr(message, name)) if "\0" in text)
    for name in texts.maps:
        pairs = getattr(message, name).items()
        yield from (before + name for pair in pairs if any(isinstance(one, str) and "\0" in one for one in pair))
    for name, is_repeated, inner in texts.messages:
        if is_repeated:
            for index, one in enumerate(getattr(message, name)):
                yield from _paths(one, inner, f"{before}{name}[{index}].")
        elif message.HasField(name):
            yield from _paths(getattr(message, name), inner, f"{before}{name}.")
