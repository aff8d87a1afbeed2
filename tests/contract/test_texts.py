"""Texts of all requests: U+0000 is refused with the path of the field, unless the contract allows any text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from bossjy.contacts.v1 import contact_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.text_rules import nul_finder
from tests.contract.calls import METHODS, send
from tests.service import Service

STRICT = [method for method in METHODS if not method.any_text]


def texts_of(message: Descriptor, inside: tuple[Descriptor, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of the texts of a message."""
    for field in message.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield (field.name,)
        elif field.message_type is not None and field.message_type not in inside:
            for path in texts_of(field.message_type, (*inside, message)):
                yield (field.name, *path)


def with_nul(method: Method, path: tuple[str, ...]) -> tuple[bytes, str]:
    """A request with U+0000 at a path, and the path in the form of an error."""
    request: Any = method.request_class()
    holder, named = request, ""
    for name in path:
        field = holder.DESCRIPTOR.fields_by_name[name]
        named += f".{name}" + ("[0]" if field.is_repeated else "")
        if field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                getattr(holder, name).append("a\0b")
            else:
                setattr(holder, name, "a\0b")
        else:
            holder = getattr(holder, name).add() if field.is_repeated else getattr(holder, name)
    return bytes(request.SerializeToString()), named[1:]


CASES = [(method, path) for method in STRICT for path in texts_of(cast("Descriptor", method.request_class.DESCRIPTOR))]


def test_only_phone_accepts_any_text() -> None:
    assert {method.service for method in METHODS if method.any_text} == {"bossjy.phone.v1.PhoneService"}
    assert len(CASES) > 60


@pytest.mark.parametrize(
    ("method", "path"), CASES, ids=lambda one: one.name if isinstance(one, Method) else ".".join(one)
)
def test_a_text_with_nul_is_found_and_named(method: Method, path: tuple[str, ...]) -> None:
    find = nul_finder(method.request_class.DESCRIPTOR)
    assert find is not None
    raw, named = with_nul(method, path)
    assert find(method.request_class.FromString(raw), raw) == named
    clean = raw.replace(b"a\0b", b"abc")
    assert find(method.request_class.FromString(clean), clean) is None
    # Zero bytes outside of texts.
    assert find(method.request_class.FromString(clean), clean + b"\0") is None


def test_bytes_are_no_text() -> None:
    request = import_service_pb2.UploadRequest(chunk=import_service_pb2.UploadChunk(data=b"a\0b"))
    find = nul_finder(import_service_pb2.UploadRequest.DESCRIPTOR)
    assert find is not None
    assert find(request, request.SerializeToString()) is None


def test_keys_and_values_of_maps_are_texts() -> None:
    find = nul_finder(contact_pb2.Contact.DESCRIPTOR)
    assert find is not None
    for attributes in ({"k\0": "v"}, {"k": "\0v"}):
        contact = contact_pb2.Contact(attributes=attributes)
        assert find(contact, contact.SerializeToString()) == "attributes"
    assert find(contact_pb2.Contact(attributes={"k": "v"}), b"\0") is None


async def test_no_method_lets_it_through(service: Service) -> None:
    for method, path in CASES:
        if method.access.public or method.name not in {"Logout", "DisableUser", "DeleteUser", "RevokeSession"}:
            ended = await send(service, method, [with_nul(method, path)[0]])
            assert ended == ("INVALID_ARGUMENT", "INVALID_FIELD"), (method.path, path)
    phone = next(method for method in METHODS if method.name == "ValidateNumber")
    assert await send(service, phone, [phone.request_class(phone_number="\0").SerializeToString()]) == ("OK", "")
