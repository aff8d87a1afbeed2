"""Framing of streams over HTTP: one JSON object a line, the envelopes of the Connect protocol, or a file."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import orjson

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.rpc.call import Call, Status
from bossjy_server.rpc.native.json_errors import error_of
from bossjy_server.rpc.native.rest import Binding

CONNECT_TYPE = "application/connect+json"
# One byte of flags and the length of the message.
_HEAD = struct.Struct(">BI")
_COMPRESSED, _END = 1, 2
# Types in `accept` with which an export is a file, and not lines of JSON.
_FILE_TYPE = re.compile(r"text/csv|application/(octet-stream|x-ndjson|vnd\.apache\.arrow\.stream)")


@dataclass(frozen=True, slots=True)
class Framing:
    """The form of a stream of answers: envelopes and an end message, a file of the type `file`, or else lines."""

    connect: bool = False
    file: str = ""

    @property
    def content_type(self) -> bytes:
        """The content type of the stream."""
        return (CONNECT_TYPE if self.connect else self.file or "application/json").encode()

    def message(self, text: bytes) -> bytes:
        """An answer in the stream."""
        return _HEAD.pack(0, len(text)) + text if self.connect else text + b"\n"

    def end(self, status: Status) -> bytes:
        """The end of the stream with its status; an error is the last line, an end without error is no line.

        Raises ConnectionAbortedError for a file: its receiver must see that it is not complete.
        """
        if self.connect:
            ended = {} if status.code == "OK" else {"error": error_of(status, connect=True)}
            text = orjson.dumps(ended)
            return _HEAD.pack(_END, len(text)) + text
        if status.code == "OK":
            return b""
        if self.file:
            raise ConnectionAbortedError(status.message)
        return orjson.dumps({"error": error_of(status, connect=False)}) + b"\n"


def framing_of(call: Call, binding: Binding) -> Framing:
    """The form that a request asks for: by its path, its content type and `accept`."""
    if not binding.method.server_streaming:
        return Framing()
    if binding.connect:
        return Framing(connect=_is_connect_stream(call))
    asked = call.metadata.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    described = binding.reply_class.DESCRIPTOR.fields_by_name.get("data")
    is_file = described is not None and described.type == described.TYPE_BYTES
    return Framing(file=asked if is_file and _FILE_TYPE.fullmatch(asked) else "")


def _is_connect_stream(call: Call) -> bool:
    """True if the request is the stream of the Connect protocol."""
    return call.metadata.get("content-type", "").partition(";")[0].strip().lower() == CONNECT_TYPE


def only_message(call: Call, body: bytes) -> bytes:
    """The message in the envelope of a request. Raises InvalidArgument(MALFORMED_REQUEST) if it is not exactly one."""
    if call.metadata.get("connect-content-encoding", "identity") != "identity":
        raise _malformed("a compressed stream is not supported: send it as it is")
    if len(body) < _HEAD.size:
        raise _malformed("the body must be one envelope: a byte of flags, four of length, and the message")
    flags, length = _HEAD.unpack_from(body)
    if flags & _COMPRESSED:
        raise _malformed("a compressed message is not supported: send it as it is")
    if flags or length != len(body) - _HEAD.size:
        raise _malformed("the body must be exactly one envelope with the request")
    return body[_HEAD.size :]


def _malformed(text: str) -> InvalidArgument:
    return InvalidArgument(Reason.MALFORMED_REQUEST, text)
