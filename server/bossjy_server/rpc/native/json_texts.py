"""JSON of the messages: requests with every unknown field refused by its name, answers with the contract's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from bossjy_server.errors import BossjyError, InvalidArgument, Reason, Violation

_PARAMETERS_MOST = 100
_LONGEST_NAME, _LONGEST_WHY = 100, 300
_BOOLS = {"true": True, "false": False}


def request_of(kind: type[Message], body: bytes, into: str, path: Mapping[str, str], query: bytes) -> Message:
    """The request of a JSON call: its body, the fields in its path, the parameters of its query.

    `into`: `*` if the body is the request, a field if it is that field, empty if there is none. Raises
    InvalidArgument.
    """
    described = cast("Descriptor", kind.DESCRIPTOR)
    content = _loaded(body) if body else {}
    if content and not into:
        raise _refusal("the body", "must be empty: this path has its fields in the query")
    unknown = _unknown(described if into in {"", "*"} else described.fields_by_name[into].message_type, content, "")
    if unknown:
        raise _refusal(unknown, "is no field of this request: see the contract for the names")
    fields: dict[str, Any] = content if into == "*" else {into: content} if into else {}
    if query:
        for name, value in _parameters(query):
            if into == "*" or name in path:
                raise _refusal(name[:_LONGEST_NAME], "cannot be in the query of this path: send it in the body or path")
            _set(described, fields, name, value)
    for name, text in path.items():
        _set(described, fields, name, text)
    try:
        message: Message = json_format.ParseDict(fields, kind())
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        why = f"the JSON is not a {described.full_name}: {error}"[:_LONGEST_WHY]
        raise InvalidArgument(Reason.MALFORMED_REQUEST, why) from None
    return message


def reply_text(message: Message) -> bytes:
    """The JSON of an answer: names of the contract, fields with their default as well."""
    return orjson.dumps(
        json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    )


def _loaded(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(Reason.MALFORMED_REQUEST, f"the body is not JSON: {error}"[:_LONGEST_WHY]) from None
    if not isinstance(content, dict):
        raise InvalidArgument(Reason.MALFORMED_REQUEST, "the body must be a JSON object")
    return content


def _parameters(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS_MOST
        )
    except ValueError:
        why = f"the query cannot be read: at most {_PARAMETERS_MOST} parameters, in UTF-8 with percent encoding"
        raise InvalidArgument(Reason.MALFORMED_REQUEST, why) from None


def _set(described: Descriptor, fields: dict[str, Any], name: str, text: str) -> None:
    """Set the field that `name` is the path of: `user.user_id`."""
    place, message = fields, described
    *outer, last = name.split(".")
    for key in outer:
        field = message.fields_by_name.get(key)
        if field is None or field.message_type is None or field.is_repeated:
            raise _refusal(name[:_LONGEST_NAME], "is no field of this request: see the contract for the names")
        place, message = place.setdefault(field.name, {}), field.message_type
    field = message.fields_by_name.get(last) or message.fields_by_camelcase_name.get(last)
    if field is None or (field.message_type is not None and not _has_text(field.message_type)):
        raise _refusal(name[:_LONGEST_NAME], "is no field of this request: see the contract for the names")
    value: object = _BOOLS.get(text, text) if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else text
    if field.is_repeated:
        place.setdefault(field.name, []).append(value)
    elif field.name in place:
        raise _refusal(name, "occurs twice: send it once")
    else:
        place[field.name] = value


def _has_text(described: Descriptor) -> bool:
    """True for messages whose JSON is one text or number."""
    return described.full_name.startswith("google.protobuf.") and not described.full_name.endswith(
        (".Struct", ".ListValue", ".Any", ".Empty")
    )


def _unknown(described: Descriptor | None, content: Any, path: str) -> str:
    """The path of the first field that the contract does not have; empty if all are known."""
    if described is None or not isinstance(content, dict) or described.full_name.startswith("google.protobuf."):
        return ""
    for key, value in content.items():
        field = described.fields_by_name.get(key) or described.fields_by_camelcase_name.get(key)
        name = f"{path}{key[:_LONGEST_NAME]}"
        if field is None:
            return name
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner, values = field.message_type.fields_by_name["value"].message_type, list(_values(value))
        else:
            inner, values = field.message_type, value if isinstance(value, list) else [value]
        for one in values:
            if found := _unknown(inner, one, f"{name}."):
                return found
    return ""


def _values(content: Any) -> list[Any]:
    return list(content.values()) if isinstance(content, dict) else []


def _refusal(name: str, why: str) -> BossjyError:
    return InvalidArgument(Reason.INVALID_FIELD, f"{name} {why}", violations=[Violation(name, why)])
