"""Messages of any kind for any method: honest, extreme, and broken ones. Seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

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
_WHOLE = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
}


def fill(message: Message, rng: random.Random, depth: int = 0) -> None:
    """Set some fields of `message`, each to something that a caller might send."""
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        if rng.random() < (0.3 if depth < 3 else 0.9):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        if field.is_repeated:
            for _ in range(rng.choice((0, 1, 2, 60))):
                _add(message, field, rng, depth)
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), rng, depth + 1)
        else:
            setattr(message, field.name, _scalar(field, rng))


def _add(message: Message, field: FieldDescriptor, rng: random.Random, depth: int) -> None:
    if field.message_type is not None:
        fill(getattr(message, field.name).add(), rng, depth + 1)
    else:
        getattr(message, field.name).append(_scalar(field, rng))


def _scalar(field: FieldDescriptor, rng: random.Random) -> object:
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice(_TEXTS)(rng)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.randbytes(rng.choice((0, 1, 100, 10_000)))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == FieldDescriptor.TYPE_ENUM:
        return rng.choice((0, 1, 2, 3, 9, 77, -1, 2**31 - 1))
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return rng.choice((0.0, -1.0, 1e300, float("inf"), float("nan")))
    low, high = _WHOLE[field.type]
    return rng.choice((0, 1, 7, low, high, rng.randint(low, high)))


def broken(raw: bytes, rng: random.Random) -> bytes:
    """The bytes of a message, damaged; or bytes that never were one."""
    kind = rng.randrange(4)
    if kind == 0 or not raw:
        return rng.randbytes(rng.choice((1, 3, 50, 2_000)))
    if kind == 1:
        return raw[: rng.randrange(len(raw))]
    damaged = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged) if kind == 2 else bytes(damaged) + rng.randbytes(3)
