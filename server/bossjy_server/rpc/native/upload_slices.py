"""Uploads by HTTP: `PATCH` sends a slice of an import's part from an offset, and the answer is the committed offset.

Each request is one Upload stream through the whole chain: open, the bytes as they come, and finish if the slice is the
last one. So a slice counts once however often it is sent. The rest of a row at the end of a slice is not committed: the
next slice begins at the committed offset.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from google.protobuf import json_format

from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, InvalidArgument, Reason, ResourceExhausted, Violation
from bossjy_server.rpc.call import Call, Route
from bossjy_server.rpc.errors import status_of
from bossjy_server.rpc.native.asgi import DISCONNECT, Receive
from bossjy_server.rpc.native.deadlines import within_deadline

METHOD = "/bossjy.imports.v1.ImportService/Upload"
# Bytes of a slice, and of one message of the stream.
MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
# Longest wait with the stream open for a first commit: a short beginning of a file shows its form after two seconds.
_FIRST_COMMIT_S = 4.0
_PATH = re.compile(r"/v1/imports/([A-Za-z0-9_-]{1,64})/parts/([0-9]{1,2}):upload")
_OFFSET = re.compile(r"[0-9]{1,15}")
_PARAMETERS = ("offset", "final", "sha256")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Slice:
    """A slice of a part. `final`: the part ends with it."""

    import_id: str
    part: int
    offset: int
    final: bool
    sha256: bytes


@dataclass(slots=True)
class _Answer:
    """The fields of the answer so far."""

    committed_offset: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    # Set when rows of the part are committed.
    committed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, raw: bytes) -> None:
        message = pb.UploadResponse.FromString(raw)
        match message.WhichOneof("message"):
            case "opened":
                self.committed_offset = message.opened.next_offset
                self.values["counts"] = _shown(message.opened.counts)
            case "ack":
                self.committed_offset = message.ack.committed_offset
                self.values["counts"] = _shown(message.ack.counts)
            case "skipped":
                self.committed_offset = message.skipped.committed_offset
            case "finished":
                self.values["import_job"] = _shown(message.finished.import_job)
            case _:
                pass
        if self.committed_offset:
            self.committed.set()


def slice_of(verb: str, path: str) -> tuple[str, int] | None:
    """Import and part of a path; None if the request is no slice."""
    found = _PATH.fullmatch(path) if verb == "PATCH" else None
    return (found[1], int(found[2])) if found else None


def read_slice(import_id: str, part: int, query: bytes) -> Slice:
    """The slice that a query names. Raises InvalidArgument(INVALID_FIELD) with the name of the parameter."""
    values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    for name in values:
        if name not in _PARAMETERS:
            raise _invalid(name, "is not a parameter of an upload: use offset, final, sha256")
    offset, final, digest = (values.get(name, "") for name in _PARAMETERS)
    if not _OFFSET.fullmatch(offset):
        raise _invalid("offset", "must be the offset of the first byte in the part, from 0")
    if final not in {"", "true", "false"}:
        raise _invalid("final", "must be true or false")
    if digest and not _SHA256.fullmatch(digest):
        raise _invalid("sha256", "must be 64 lower-case hexadecimal digits")
    return Slice(import_id, part, int(offset), final == "true", bytes.fromhex(digest))


async def upload(route: Route, call: Call, one: Slice, receive: Receive) -> bytes:
    """Send a slice through the chain. Returns the answer as JSON; the error, if any, is the status of the call."""
    answer = _Answer()
    source = _Source(receive, one, answer.committed)
    call.raw_requests = source.messages()
    call.send = answer.take
    try:
        await within_deadline(route.proceed, call)
    finally:
        if call.at_close is not None:
            call.at_close()
    if source.failure is not None:
        call.status = status_of(source.failure, call.context.request_id)
    return orjson.dumps({"committed_offset": str(answer.committed_offset), **answer.values})


class _Source:
    """Messages of an Upload stream from the body of a request."""

    def __init__(self, receive: Receive, one: Slice, committed: asyncio.Event) -> None:
        self._receive, self._slice, self._committed = receive, one, committed
        # The fault of the body; the stream ends at it, and whole rows before it are committed.
        self.failure: BossjyError | None = None

    async def messages(self) -> AsyncIterator[bytes]:
        """The messages, serialised."""
        one = self._slice
        opening = pb.UploadOpen(import_id=one.import_id, part=one.part)
        yield pb.UploadRequest(open=opening).SerializeToString()
        offset, buffer, more = one.offset, bytearray(), True
        while more:
            event = await self._receive()
            if event["type"] == DISCONNECT:
                return
            buffer += event.get("body", b"")
            more = event.get("more_body", False)
            if offset + len(buffer) - one.offset > MOST_BYTES:
                self.failure = too_large()
            if self.failure is not None:
                buffer.clear()  # a client that is still sending would not read the refusal
                continue
            while len(buffer) >= _CHUNK or (buffer and not more):
                data = bytes(buffer[:_CHUNK])
                del buffer[: len(data)]
                yield pb.UploadRequest(chunk=pb.UploadChunk(offset=offset, data=data)).SerializeToString()
                offset += len(data)
        if self.failure is not None:
            return
        if one.final:
            finish = pb.UploadFinish(size_bytes=offset, sha256=one.sha256)
            yield pb.UploadRequest(finish=finish).SerializeToString()
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._committed.wait(), _FIRST_COMMIT_S)


def _shown(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _invalid(name: str, text: str) -> InvalidArgument:
    return InvalidArgument(Reason.INVALID_FIELD, f"{name} {text}", violations=[Violation(name, text)])


def too_large() -> ResourceExhausted:
    """The error for a slice beyond MOST_BYTES."""
    return ResourceExhausted(
        Reason.MESSAGE_TOO_LARGE,
        f"a slice has at most {MOST_BYTES} bytes: send several, each from the committed offset",
        metadata={"limit_bytes": str(MOST_BYTES)},
    )
