"""Requests by JSON and by gRPC that are compared: the minimal request of each method, its URL, its answer."""

from __future__ import annotations

import copy
from typing import Any

import grpc.aio
import httpx
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE

METHODS = [
    method
    for service in (PHONE, AUTH, CONTACTS, IMPORTS)
    for method in service.methods
    if method.GetOptions().Extensions[annotations_pb2.http].WhichOneof("pattern")
]
# Their answers differ from call to call, or they would end the session of the other calls.
UNREPEATABLE = {"Register", "Login", "CreateUser", "CreateApiKey", "CreateImport", "BeginSecondFactor", "Logout"}
# Their minimal request succeeds and changes a timestamp.
_TOKEN = "nextPageToken"
VOLATILE = ("updateTime", "createTime", "lastUseTime", "lastLoginTime", "etag")


def url_of(method: MethodDescriptor, request: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Verb, path and the remaining fields for the body or the query."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    path = getattr(rule, verb)
    left = copy.deepcopy(request)
    while "{" in path:
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        *outer, last = name.partition("=")[0].split(".")
        place = left
        for key in outer:
            place = place[key]
        path = f"{before}{place.pop(last)}{after}"
    return verb.upper(), path, left if rule.body in {"", "*"} else left[rule.body]


def minimal(method: MethodDescriptor) -> dict[str, Any]:
    """A request with the fields of the path."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    path = getattr(rule, rule.WhichOneof("pattern"))
    request: dict[str, Any] = {} if rule.body in {"", "*"} else {rule.body: {}}
    while "{" in path:
        name, _, path = path.partition("{")[2].partition("}")
        *outer, last = name.partition("=")[0].split(".")
        place = request
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = "nothing"
    return request


def lines(answer: httpx.Response) -> list[bytes]:
    return [line for line in answer.content.splitlines() if line.strip()]


async def by_grpc(channel: grpc.aio.Channel, method: MethodDescriptor, raw: bytes, metadata: Any) -> Any:
    """The answers of a call, or its status."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    response_class = GetMessageClass(method.output_type)
    untyped: Any = channel
    try:
        if method.server_streaming:
            running = untyped.unary_stream(path)(raw, metadata=metadata, timeout=30)
            return [response_class.FromString(piece) async for piece in running]
        return [response_class.FromString(await untyped.unary_unary(path)(raw, metadata=metadata, timeout=30))]
    except grpc.aio.AioRpcError as error:
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                return status_pb2.Status.FromString(value)
        raise


def outline(status: status_pb2.Status) -> tuple[int, str, list[str]]:
    """Code, reason and violated fields."""
    reason, violated = "", []
    for detail in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            violated = [one.field for one in bad.field_violations]
    return status.code, reason, violated


def settled(message: Any) -> Any:
    """The answer without values that change from call to call. A page token has a time: only its presence counts."""
    shown = json_format.MessageToDict(message)
    return without(shown, VOLATILE) | ({_TOKEN: True} if shown.get(_TOKEN) else {})


def without(value: Any, names: tuple[str, ...]) -> Any:
    """The value without fields of these names, at any depth."""
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value
