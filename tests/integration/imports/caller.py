"""Calls of the import service over gRPC, and the contents of its errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from google.rpc import error_details_pb2, status_pb2

from bossjy.imports.v1 import import_pb2, import_service_pb2_grpc
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import requests
from tests.service import Service
from tests.stream_status import Ended, RpcStatus, stream_status


class Caller:
    """Calls of the import service, as the owner of the service's tenant."""

    def __init__(self, service: Service) -> None:
        self._stub = import_service_pb2_grpc.ImportServiceStub(service.channel)
        self._metadata = service.metadata
        self._target = service.address

    async def call(self, method: str, request: object) -> Any:
        return await getattr(self._stub, method)(request, metadata=self._metadata)

    async def create(self, **spec: Any) -> str:
        request = pb.CreateImportRequest(spec=import_pb2.ImportSpec(**spec))
        return str((await self.call("CreateImport", request)).import_job.import_id)

    async def upload(self, import_id: str, data: bytes) -> import_pb2.Import:
        return await self.stream(requests(import_id, data))

    async def stream(self, messages: AsyncIterator[pb.UploadRequest]) -> import_pb2.Import:
        """Upload by separate messages."""
        stream = self._stub.Upload(messages, metadata=self._metadata)
        return [answer async for answer in stream][-1].finished.import_job

    async def rejects(self, import_id: str) -> list[import_pb2.RejectedRow]:
        """The first thousand rejected rows."""
        request = pb.ListRejectedRowsRequest(import_id=import_id, page_size=1000)
        return list((await self.call("ListRejectedRows", request)).rows)

    async def refused(self, data: bytes) -> tuple[str, str, str]:
        """Code, reason and limit of a rejected upload."""
        import_id = await self.create()
        messages = [message async for message in requests(import_id, data)]
        ended = await self.refused_stream(messages)
        found = (await self.call("GetImport", pb.GetImportRequest(import_id=import_id))).import_job
        assert found.state == import_pb2.IMPORT_STATE_FAILED
        assert ended.error is not None
        return told(ended.error)

    async def refused_stream(
        self, messages: Iterable[pb.UploadRequest], on_answer: Callable[[pb.UploadResponse], None] | None = None
    ) -> Ended:
        """The end of an upload that is rejected or interrupted."""

        def parsed(raw: bytes) -> None:
            if on_answer is not None:
                on_answer(pb.UploadResponse.FromString(raw))

        path = "/bossjy.imports.v1.ImportService/Upload"
        return await stream_status(self._target, path, messages, self._metadata, on_answer=parsed)


def told(error: RpcStatus) -> tuple[str, str, str]:
    status, info = status_pb2.Status(), error_details_pb2.ErrorInfo()
    trailing: Any = error.trailing_metadata()
    details = dict(trailing or ()).get("grpc-status-details-bin")
    assert isinstance(details, bytes), f"an error of the transport: {error.code()} {error.details()}"
    status.ParseFromString(details)
    assert any(one.Unpack(info) for one in status.details)
    return error.code().name, info.reason, info.metadata.get("limit", info.metadata.get("limit_bytes", ""))
