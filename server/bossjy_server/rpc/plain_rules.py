"""Fast checks of a contract's rules by comparisons: most requests pass without a call of the validator.

A check here only confirms that a message obeys its rules. If it cannot confirm that, the validator decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor

# Supported rules of a field, besides its own kind of rules.
_STRING_RULES = frozenset({"max_len", "min_len"})


def plain_check(message: Any) -> Callable[[Any, int], bool] | None:
    """A check of messages of a descriptor's type; None if one of its rules is not supported here.

    It takes a message and the number of bytes from which it was read.
    """
    if message.GetOptions().HasExtension(validate_pb2.message) or message.oneofs:
        return None
    texts: list[tuple[str, int, int]] = []
    enums: list[tuple[str, frozenset[int]]] = []
    for field in message.fields:
        if field.message_type is not None or field.is_repeated:
            return None
        if not field.GetOptions().HasExtension(validate_pb2.field):
            continue
        rules = _rules_of(field)
        if field.type == FieldDescriptor.TYPE_STRING and rules and _STRING_RULES.issuperset(rules):
            texts.append((field.name, rules.get("min_len", 0), rules.get("max_len", 2**31)))
        elif field.enum_type is not None and rules == {"defined_only": True}:
            enums.append((field.name, frozenset(value.number for value in field.enum_type.values)))
        else:
            return None
    return _check_of(texts, enums)


def _rules_of(field: Any) -> dict[str, Any]:
    """The rules of a field's own kind by name; empty if there are other rules as well."""
    stated = field.GetOptions().Extensions[validate_pb2.field].ListFields()
    if len(stated) != 1 or stated[0][0].name not in ("string", "enum"):
        return {}
    return {one.name: value for one, value in stated[0][1].ListFields()}


def _check_of(texts: list[tuple[str, int, int]], enums: list[tuple[str, frozenset[int]]]) -> Callable[[Any, int], bool]:
    def check(request: Any, size: int) -> bool:
        for name, least, most in texts:
            # No text is longer than the bytes of its message.
            if (least or most < size) and not least <= len(getattr(request, name)) <= most:
                return False
        for name, numbers in enums:  # noqa: SIM110 - a generator for `all` costs more than the whole check
            if getattr(request, name) not in numbers:
                return False
        return True

    return check
