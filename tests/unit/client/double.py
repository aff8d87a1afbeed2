"""A test double of the service on a real connection, with behaviour chosen by a test.

It tests the client against the contract: the messages of the server, their order, and the places of interruptions. The
tests of tests/e2e use this client with the real server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from bossjy.imports.v1 import import_pb2, import_service_pb2

Context = grpc.aio.ServicerContext[Any, Any]


async def refuse(
    context: Context,
    code: grpc.StatusCode,
    reason: str,
    message: str = "refused",
    *,
    retry_after_s: float | None = None,
    fields: tuple[tuple[str, str], ...] = (),
    metadata: dict[str, str] | None = None,
) -> None:
    """End the call like the server: a status with its details."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason, domain="bossjy", metadata=metadata or {}),
        error_details_pb2.RequestInfo(request_id="call-1"),
    ]
    if retry_after_s is not None:
        delay = Duration(seconds=int(retry_after_s), nanos=int(retry_after_s % 1 * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if fields:
        bad = error_details_pb2.BadRequest()
        for name, text in fields:
            bad.field_violations.add(field=name, description=text)
        details.append(bad)
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    await context.abort(code, message, (("grpc-status-details-bin", status.SerializeToString()),))


Fault = Callable[["ImportDouble", Context], Awaitable[None]]


@dataclass
class ImportDouble:
    """Receives the bytes of one part, commits whole lines, and runs each of `faults` once, at the chunk of its key."""

    window_bytes: int = 1 << 20
    commit_every: int = 4096
    faults: dict[int, Fault] = field(default_factory=dict)
    committed: bytearray = field(default_factory=bytearray)
    finished: bool = False
    opened: int = 0
    chunks: int = 0
    largest_flight: int = 0
    sha256: bytes = b""
    job: import_pb2.Import = field(
        default_factory=lambda: import_pb2.Import(import_id="imp1", state=import_pb2.IMPORT_STATE_OPEN)
    )
    requests: list[import_service_pb2.CreateImportRequest] = field(default_factory=list)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve the given methods; the others answer UNIMPLEMENTED."""
        messages = import_service_pb2
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "CreateImport": grpc.unary_unary_rpc_method_handler(
                self.CreateImport,
                messages.CreateImportRequest.FromString,
                messages.CreateImportResponse.SerializeToString,
            ),
            "GetImport": grpc.unary_unary_rpc_method_handler(
                self.GetImport, messages.GetImportRequest.FromString, messages.GetImportResponse.SerializeToString
            ),
            "Upload": grpc.stream_stream_rpc_method_handler(
                self.Upload, messages.UploadRequest.FromString, messages.UploadResponse.SerializeToString
            ),
        }
        handler = grpc.method_handlers_generic_handler("bossjy.imports.v1.ImportService", handlers)
        server.add_generic_rpc_handlers((handler,))

    async def CreateImport(
        self, request: import_service_pb2.CreateImportRequest, context: Context
    ) -> import_service_pb2.CreateImportResponse:
        self.requests.append(request)
        return import_service_pb2.CreateImportResponse(import_job=self.job)

    async def GetImport(
        self, request: import_service_pb2.GetImportRequest, context: Context
    ) -> import_service_pb2.GetImportResponse:
        return import_service_pb2.GetImportResponse(import_job=self.job)

    async def Upload(
        self, request_iterator: AsyncIterator[import_service_pb2.UploadRequest], context: Context
    ) -> AsyncIterator[import_service_pb2.UploadResponse]:
        self.opened += 1
        if self.finished:
            await refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "IMPORT_NOT_OPEN")
        first = await anext(request_iterator)
        assert first.open.import_id == "imp1"
        respond = import_service_pb2.UploadResponse
        yield respond(opened=import_service_pb2.UploadOpened(next_offset=len(self.committed), counts=self.counts()))
        yield respond(flow=import_service_pb2.UploadFlow(window_bytes=self.window_bytes))
        waiting = bytearray()
        async for request in request_iterator:
            if request.WhichOneof("message") == "finish":
                self.committed += waiting
                assert request.finish.size_bytes == len(self.committed)
                self.sha256 = request.finish.sha256
                self.finish()
                await self._fault(-1, context)
                yield respond(finished=import_service_pb2.UploadFinished(import_job=self.job))
                return
            await self._fault(self.chunks, context)
            self.chunks += 1
            chunk = request.chunk
            assert google_crc32c.value(chunk.data) == chunk.crc32c
            assert chunk.offset == len(self.committed) + len(waiting), "the client leaves gaps or doubles"
            waiting += chunk.data
            self.largest_flight = max(self.largest_flight, len(waiting))
            if len(waiting) >= self.commit_every:
                end = waiting.rfind(b"\n") + 1
                self.committed += waiting[:end]
                del waiting[:end]
                yield respond(
                    ack=import_service_pb2.UploadAck(committed_offset=len(self.committed), counts=self.counts())
                )

    async def _fault(self, at: int, context: Context) -> None:
        fault = self.faults.pop(at, None)
        if fault is not None:
            await fault(self, context)

    def finish(self) -> None:
        self.finished = True
        self.job.state = import_pb2.IMPORT_STATE_SUCCEEDED
        self.job.counts.CopyFrom(self.counts())
        self.job.parts.add(part=0, finished=True, committed_offset=len(self.committed))

    def counts(self) -> import_pb2.ImportCounts:
        rows = self.committed.count(b"\n")
        return import_pb2.ImportCounts(rows_in=rows, inserted=rows)


@dataclass
class Running:
    """A server on a free port of loopback."""

    server: grpc.aio.Server
    target: str

    @classmethod
    async def start(cls, *add: Callable[[grpc.aio.Server], None], port: int = 0) -> Running:
        server = grpc.aio.server()
        for one in add:
            one(server)
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        return cls(server, f"127.0.0.1:{bound}")

    @property
    def port(self) -> int:
        return int(self.target.rsplit(":", 1)[1])
