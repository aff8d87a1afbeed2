"""Messages for any method: valid, extreme, and broken ones. Seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.contract.values import Known, fill_time, named

_TEXTS: tuple[Callable[[random.Random], str], ...] = (
    lambda _: "",
    lambda _: "+86 138 0000 0000",
    lambda _: "invalid",
    lambda _: "CN",
    lambda r: str(r.getrandbits(60)),
    lambda r: "9" * r.choice((251, 5_000, 100_001)),
    lambda r: "\x00" * r.randint(1, 5),
    lambda _: "１３８００００００００",
    lambda _: "٠١٢٣٤٥٦٧٨٩",
    lambda _: "\u202e+86\u200b138 ✆ 😀",
    lambda _: "tel:+86-138-0000-0000;ext=5;phone-context=example.com",
    lambda _: "' OR 1=1; --",
    lambda _: "../../etc/passwd",
    lambda _: 'region = "CN" AND (((',
    lambda _: "{}[]<>%s%n$(id)`id`",
    lambda r: "".join(
        chr(r.choice((r.randrange(32, 127), r.randrange(0xA0, 0xD7FF)))) for _ in range(r.randint(1, 60))
    ),
)
FILES = (
    b"phone,name\n+442079460031,a\n\0,\0\n",
    b'{"phone": "+442079460031", "k": "\\u0000", "n": 1e999}\n{"phone": []}\n',
    b"\xff\xfep\0h\0o\0n\0e\0\n\0",
    b"ARROW1\0\0",
    b"\x1f\x8b\x08\0\0\0\0\0",
    b"\x28\xb5\x2f\xfd\0",
    b"PK\x03\x04",
    b"sep=;\nphone;name\n1;2\n",
)
_WHOLE = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
}


def fill(message: Message, rng: random.Random, known: Known, depth: int = 0) -> None:
    """Set some fields of `message`, each to a value that a caller might send."""
    if message.DESCRIPTOR.full_name in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
        fill_time(message, rng)
        return
    left_out = rng.choice((0.3, 0.6, 0.85)) if depth < 3 else 0.9
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        if rng.random() >= left_out:
            _set(message, field, rng, known, depth)


def fill_one(message: Message, rng: random.Random, known: Known) -> None:
    """Set one field of `message`, or of a nested message."""
    fields = cast("list[FieldDescriptor]", message.DESCRIPTOR.fields)
    if not fields:
        return
    field = rng.choice(fields)
    if field.message_type is not None and not field.is_repeated and rng.random() < 0.8:
        getattr(message, field.name).SetInParent()
        fill_one(getattr(message, field.name), rng, known)
    else:
        _set(message, field, rng, known, 1)


def _set(message: Message, field: FieldDescriptor, rng: random.Random, known: Known, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return
    if field.is_repeated:
        for _ in range(rng.choices((0, 1, 2, 60, 1001), (6, 6, 6, 2, 0.2))[0]):
            _add(message, field, rng, known, depth)
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
        fill(getattr(message, field.name), rng, known, depth + 1)
    else:
        setattr(message, field.name, _scalar(field, rng, known))


def _add(message: Message, field: FieldDescriptor, rng: random.Random, known: Known, depth: int) -> None:
    if field.message_type is not None:
        fill(getattr(message, field.name).add(), rng, known, depth + 1)
    else:
        getattr(message, field.name).append(_scalar(field, rng, known))


def _scalar(field: FieldDescriptor, rng: random.Random, known: Known) -> object:
    fitting = named(field.name, rng, known) if rng.random() < 0.8 else None
    return _any_scalar(field, rng) if fitting is None else fitting


def _any_scalar(field: FieldDescriptor, rng: random.Random) -> object:
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice(_TEXTS)(rng)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.choice(FILES) if rng.random() < 0.5 else rng.randbytes(rng.choice((0, 1, 100, 10_000)))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == FieldDescriptor.TYPE_ENUM:
        return rng.choice((0, 1, 2, 3, 9, 77, -1, 2**31 - 1))
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return rng.choice((0.0, -1.0, 1e300, float("inf"), float("nan")))
    low, high = _WHOLE[field.type]
    return rng.choice((0, 1, 7, low, high, rng.randint(low, high)))


def unusual(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    """A message in a form that no serializer writes: repeated fields, unknown fields, nested groups."""
    kind = rng.randrange(4)
    if kind == 0:
        return raw + other  # protobuf joins them
    if kind == 1:
        depth = rng.choice((1, 30, 99, 100, 101, 5_000))
        return raw + b"\xc3\x3e" * depth + b"\xc4\x3e" * depth
    if kind == 2:
        return raw + b"\xfa\xff\xff\xff\x0f\x01\0"  # the highest field number
    inner = b"\0" * 10
    for _ in range(rng.choice((1, 50, 200))):
        inner = b"\x0a" + _varint(len(inner)) + inner
    return raw + inner


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes((*parts, value))


def broken(raw: bytes, rng: random.Random) -> bytes:
    """The bytes of a message, damaged; or random bytes."""
    kind = rng.randrange(4)
    if kind == 0 or not raw:
        return rng.randbytes(rng.choice((1, 3, 50, 2_000)))
    if kind == 1:
        return raw[: rng.randrange(len(raw))]
    damaged = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged) if kind == 2 else bytes(damaged) + rng.randbytes(3)
