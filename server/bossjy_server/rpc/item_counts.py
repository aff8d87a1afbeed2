"""Number of items in a message's bytes, counted before protobuf creates an object for each.

Four megabytes can contain two million empty texts, which take some hundred megabytes as objects. The rules of the
contract (`repeated.max_items`) apply to objects, so this check refuses a message far beyond them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from buf.validate import validate_pb2

from bossjy_server.errors import InvalidArgument, Reason, Violation

# Items of a field whose contract states no limit.
_MOST_ITEMS = 10_000
# A message with fewer bytes that look like an item passes. Each item costs 100 bytes at most.
_FEW = 50_000
# Fields of a message, at any depth.
_MOST_FIELDS = 100_000
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5
_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


@dataclass(frozen=True, slots=True)
class _Field:
    """Properties of a field: `most` items if it is repeated (else 0), and the fields of a message."""

    name: str
    most: int
    inside: dict[int, _Field] | None


def item_check(message: Any) -> Callable[[bytes], None] | None:
    """A check of the bytes of messages of a descriptor's type; None if no field is repeated.

    It raises InvalidArgument for more items than the contract allows. Bytes that are not a message pass: protobuf
    refuses them.
    """
    heads: set[int] = set()
    fields = _fields(message, heads, {})
    if not heads:
        return None
    # A tag may be encoded with one byte too many, which sets its highest bit.
    marks = [bytes((head,)) for head in sorted({*heads, *(head | 0x80 for head in heads)})]

    def check(raw: bytes) -> None:
        if len(raw) > 2 * _FEW and sum(map(raw.count, marks)) > _FEW:
            _Count(raw).walk(fields, 0, len(raw), "")

    return check


def _fields(message: Any, heads: set[int], known: dict[str, dict[int, _Field]]) -> dict[int, _Field]:
    """Fields by number; adds the first byte of each repeated one to `heads`."""
    if message.full_name in known:
        return known[message.full_name]
    fields = known[message.full_name] = {}
    for one in message.fields:
        most = 0
        if one.is_repeated:
            rules = one.GetOptions().Extensions[validate_pb2.field].repeated
            most = rules.max_items or _MOST_ITEMS
            wire = _DELIMITED if one.is_packed or one.type in (one.TYPE_STRING, one.TYPE_BYTES) else _VARINT
            heads.add((one.number << 3 | (_DELIMITED if one.message_type else wire)) & 0x7F | 0x80 * (one.number > 15))
        inside = _fields(one.message_type, heads, known) if one.message_type else None
        fields[one.number] = _Field(one.name, most, inside)
    return fields


class _Count:
    """Walks the fields of one message."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._left = _MOST_FIELDS

    def walk(self, fields: dict[int, _Field], place: int, end: int, path: str) -> bool:
        """True if the bytes are fields. Raises InvalidArgument for too many items."""
        counts: dict[int, int] = {}
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise _too_many("", _MOST_FIELDS)
            head, place = self._varint(place)
            wire, number = head & 7, head >> 3
            value, behind = self._varint(place) if wire in (_VARINT, _DELIMITED) else (0, place + _SIZES.get(wire, end))
            place, begin = (behind + value, behind) if wire == _DELIMITED else (behind, behind)
            if place > end:
                return False
            one = fields.get(number)
            if one is None:
                continue
            name = f"{path}.{one.name}" if path else one.name
            if one.most:
                counts[number] = counts.get(number, 0) + 1
                if counts[number] > one.most:
                    raise _too_many(name, one.most)
            if one.inside is not None and wire == _DELIMITED and not self.walk(one.inside, begin, place, name):
                return False
        return True

    def _varint(self, place: int) -> tuple[int, int]:
        """The value at a position and the position after it; past the end if there is no value."""
        value = 0
        for shift in range(0, 70, 7):
            if place >= len(self._raw):
                break
            byte = self._raw[place]
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, place
        return 0, len(self._raw) + 1


def _too_many(name: str, most: int) -> InvalidArgument:
    if not name:
        return InvalidArgument(Reason.INVALID_FIELD, f"the message has more than {most} fields: send smaller ones")
    return InvalidArgument(
        Reason.INVALID_FIELD,
        f"{name}: more than {most} items: send fewer in one message",
        violations=[Violation(name, f"at most {most} items")],
    )
