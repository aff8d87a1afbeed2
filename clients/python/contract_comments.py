"""Comments of the contracts, by the full names of messages, fields, enums, values, services and methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2

# The path of an element in its file: pairs of a field number and an index.
Place = tuple[int, ...]


def comments_of(file: descriptor_pb2.FileDescriptorProto) -> dict[str, str]:
    """The comments of a file's elements, by their full names."""
    names: dict[Place, str] = {}

    def add(kind: int, elements: Any, place: Place, parent: str) -> Iterator[tuple[tuple[int, ...], str, Any]]:
        for index, element in enumerate(elements):
            names[*place, kind, index] = f"{parent}.{element.name}"
            yield (*place, kind, index), f"{parent}.{element.name}", element

    def enums(kind: int, elements: Any, place: Place, parent: str) -> None:
        for here, name, enum in add(kind, elements, place, parent):
            list(add(2, enum.value, here, name))

    def messages(kind: int, elements: Any, place: Place, parent: str) -> None:
        for here, name, message in add(kind, elements, place, parent):
            list(add(2, message.field, here, name))
            messages(3, message.nested_type, here, name)
            enums(4, message.enum_type, here, name)

    messages(4, file.message_type, (), file.package)
    enums(5, file.enum_type, (), file.package)
    for here, name, service in add(6, file.service, (), file.package):
        list(add(2, service.method, here, name))
    found = {}
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        text = (location.leading_comments or location.trailing_comments).strip()
        if name and text:
            found[name] = "\n".join(line.strip() for line in text.splitlines())
    return found
