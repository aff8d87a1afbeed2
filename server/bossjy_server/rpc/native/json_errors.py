"""JSON of a status: google.rpc.Status as the gateway gives it, and Connect's form; the HTTP status of a gRPC code."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2

from bossjy_server.rpc.call import Status

# As Envoy and Connect convert them.
HTTP = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
_CONNECT_CODES = {"CANCELLED": "canceled"}


def error_of(status: Status, *, connect: bool) -> dict[str, Any]:
    """`{code, message, details}`: with Connect's names of codes, or their numbers."""
    packed = status_pb2.Status.FromString(status.details)
    details = [json_format.MessageToDict(one, preserving_proto_field_name=True) for one in packed.details]
    if not connect:
        return {"code": code_pb2.Code.Value(status.code), "message": status.message, "details": details}
    return {
        "code": _CONNECT_CODES.get(status.code, status.code.lower()),
        "message": status.message,
        "details": [
            {
                "type": one.type_url.rpartition("/")[2],
                "value": b64encode(one.value).rstrip(b"=").decode(),
                "debug": {key: value for key, value in shown.items() if key != "@type"},
            }
            for one, shown in zip(packed.details, details, strict=True)
        ],
    }


def error_text(status: Status, *, connect: bool) -> bytes:
    """The JSON of a status."""
    return orjson.dumps(error_of(status, connect=connect))
