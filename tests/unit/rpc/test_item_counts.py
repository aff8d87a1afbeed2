"""Items are counted before protobuf makes objects of them."""

from __future__ import annotations

import pytest

from bossjy.auth.v1 import auth_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.rpc.item_counts import item_check

BATCH = pb.BatchValidateNumbersRequest.DESCRIPTOR
STREAM = pb.StreamValidateNumbersRequest.DESCRIPTOR
IMPORT = import_service_pb2.CreateImportRequest.DESCRIPTOR


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def refusal(message: object, raw: bytes) -> tuple[str, str]:
    check = item_check(message)
    assert check is not None
    with pytest.raises(InvalidArgument) as caught:
        check(raw)
    assert caught.value.reason is Reason.INVALID_FIELD
    violations = caught.value.violations
    return (violations[0].field if violations else "", caught.value.message)


def test_messages_without_repeated_fields_are_not_counted() -> None:
    assert item_check(auth_service_pb2.LoginRequest.DESCRIPTOR) is None
    assert item_check(pb.ValidateNumberRequest.DESCRIPTOR) is None


def test_too_many_items() -> None:
    assert refusal(BATCH, b"\x0a\x00" * 60_000)[0] == "phone_numbers"
    assert refusal(BATCH, b"\x8a\x00\x00" * 60_000)[0] == "phone_numbers"
    assert refusal(BATCH, b"\x1a\x00" * 60_000)[0] == "default_regions"
    texts = b"\x0a\x00" * 60_000
    assert refusal(STREAM, b"\x2a" + varint(len(texts)) + texts)[0] == "texts.phone_numbers"
    assert refusal(STREAM, b"\x1a" + varint(len(texts)) + texts)[0] == "read_mask.paths"
    spec = import_service_pb2.CreateImportRequest()
    spec.spec.mapping.add().column = "x"
    for _ in range(1001):
        spec.spec.mapping.append(spec.spec.mapping[0])
    mark = bytes((spec.spec.DESCRIPTOR.fields_by_name["mapping"].number << 3 | 2,))
    raw = spec.SerializeToString() + b"\xfa\x7f" + varint(200_000) + mark * 200_000
    assert "mapping" in refusal(IMPORT, raw)[0]


def test_too_many_fields() -> None:
    many = b"\xf8\x7f\x01" * 120_000 + b"\x0a\x00" * 9_000 + b"\xfa\x7f" + varint(60_000) + b"\x0a" * 60_000
    field, message = refusal(BATCH, many)
    assert (field, message) == ("", "the message has more than 100000 fields: send smaller ones")


def test_valid_and_broken_messages_are_left_to_protobuf() -> None:
    check = item_check(BATCH)
    assert check is not None
    full = pb.BatchValidateNumbersRequest(phone_numbers=["\n" * 400] * 10_000, default_regions=["CN"] * 10_000)
    for raw in (
        full.SerializeToString(),
        b"\x0a" * 110_000,  # texts of ten bytes, truncated at the end
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" * 20_000,  # no length
        b"\x0b" + b"\x0a" * 200_000,  # a group
        b"\xfd\x7f1234\xf9\x7f12345678" * 10 + b"\x0a\x82\xb5\x18" + b"\x0a" * 400_002,
        b"\x0a" * 110_000 + b"\xff",
        b"\x0a\x00" * 100,
    ):
        check(raw)


def test_broken_messages_within_messages() -> None:
    check = item_check(STREAM)
    assert check is not None
    inner = b"\x0a\x7f" + b"\x0a" * 20
    check(b"\x2a" + varint(len(inner)) + inner + b"\xfa\x7f" + varint(200_000) + b"\x0a" * 200_000)
