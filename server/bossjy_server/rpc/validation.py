"""Validation of requests: bytes become messages that obey the contract, or are refused with the fields at fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import protovalidate
from google.protobuf.message import DecodeError, Message

from bossjy_server.errors import InvalidArgument, Reason, ResourceExhausted, Violation
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.item_counts import item_check
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import MAX_MESSAGE_BYTES
from bossjy_server.rpc.plain_rules import plain_check
from bossjy_server.rpc.text_rules import nul_finder

_MAX_VIOLATIONS = 20


def validation_concern() -> Concern:
    """Read and check each request message: the unary one before the call continues, those of a stream one by one."""
    validator = protovalidate.Validator()

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if not method.known:
            return proceed
        read = _reader(method, validator)

        async def validation(call: Call) -> None:
            if call.raw_requests is not None:
                stream, split = call.raw_requests, method.split
                call.requests = _read_all(stream, read) if split is None else _split_all(stream, split, read)
            else:
                call.request = read(call.raw_request)
            await proceed(call)

        return validation

    return wrap


def _reader(method: Method, validator: protovalidate.Validator) -> Callable[[bytes], Message]:
    """Reads and checks one request message of a method."""
    request_class = method.request_class
    plain = plain_check(request_class.DESCRIPTOR)
    items = item_check(request_class.DESCRIPTOR)
    find_nul = None if method.any_text else nul_finder(request_class.DESCRIPTOR)

    def read(raw: bytes) -> Message:
        check_size(raw)
        if items is not None:
            items(raw)
        message = request_class()
        try:
            message.ParseFromString(raw)
        except DecodeError as error:
            raise InvalidArgument(
                Reason.MALFORMED_REQUEST,
                f"the bytes are not a {request_class.DESCRIPTOR.full_name}: broken format, or text not in UTF-8",
            ) from error
        if find_nul is not None and (path := find_nul(message, raw)) is not None:
            raise _nul(path)
        if plain is not None and plain(message, len(raw)):
            return message
        violations = validator.collect_violations(message)
        if violations:
            raise _refusal(violations)
        return message

    return read


async def _read_all(stream: AsyncIterator[bytes], read: Callable[[bytes], Message]) -> AsyncIterator[Message]:
    async for raw in stream:
        yield read(raw)


async def _split_all(
    stream: AsyncIterator[bytes], split: Callable[[bytes], tuple[bytes, Any]], read: Callable[[bytes], Message]
) -> AsyncIterator[tuple[Message, Any]]:
    async for raw in stream:
        check_size(raw)
        rest, taken = split(raw)
        yield read(rest), taken


def check_size(raw: bytes) -> None:
    """Raise ResourceExhausted(MESSAGE_TOO_LARGE) for a message that gRPC accepted but that the contract forbids."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise ResourceExhausted(
            Reason.MESSAGE_TOO_LARGE,
            f"the message has {len(raw)} bytes, {MAX_MESSAGE_BYTES} are accepted: send less in one message",
            metadata={"limit_bytes": str(MAX_MESSAGE_BYTES), "size_bytes": str(len(raw))},
        )


def _nul(path: str) -> InvalidArgument:
    description = "must not contain the character U+0000"
    return InvalidArgument(Reason.INVALID_FIELD, f"{path} {description}", violations=[Violation(path, description)])


def _refusal(violations: list[protovalidate.Violation]) -> InvalidArgument:
    listed = [
        Violation(_path(violation), violation.proto.message or violation.proto.rule_id)
        for violation in violations[:_MAX_VIOLATIONS]
    ]
    first = listed[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return InvalidArgument(
        Reason.INVALID_FIELD, f"{first.field or 'the request'}: {first.description}{more}", violations=listed
    )


def _path(violation: protovalidate.Violation) -> str:
    """The field's path in the caller's notation: `spec.mapping[2].column`."""
    parts: list[str] = []
    for element in violation.proto.field.elements if violation.proto.field else ():
        name = element.field_name
        subscript = element.subscript
        if subscript is not None:
            name += f"[{subscript.value}]"
        parts.append(name)
    return ".".join(parts)
