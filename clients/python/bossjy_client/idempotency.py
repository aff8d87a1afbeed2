"""Idempotency of methods: a repetition is safe where the contract of the method says so."""

from __future__ import annotations

from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

_SAFE = (MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT)


def is_idempotent(request: Message) -> bool:
    """True if the method of this request has the same effect once and several times. Each method has its own request.

    Raises LookupError if no method takes such a request.
    """
    return _is_idempotent(request.DESCRIPTOR)


@cache
def _is_idempotent(request: Descriptor) -> bool:
    for service in request.file.services_by_name.values():
        for method in service.methods:
            if method.input_type is request:
                return method.GetOptions().idempotency_level in _SAFE
    raise LookupError(f"{request.full_name} is the request of no method")
