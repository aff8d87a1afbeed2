"""An upload in full flow is cancelled: its stream ends at once, and what was acknowledged stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.contacts.v1 import contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2, import_service_pb2_grpc
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.caller import Caller, told
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS_A_CHUNK = 10_000
MOST_CHUNKS = 2_000


async def endless(import_id: str) -> AsyncIterator[pb.UploadRequest]:
    """Rows as fast as they are taken, all of them new."""
    yield pb.UploadRequest(open=pb.UploadOpen(import_id=import_id))
    header = b"phone,name\n"
    yield pb.UploadRequest(chunk=pb.UploadChunk(offset=0, data=header))
    offset = len(header)
    for number in range(MOST_CHUNKS):
        first = 13_800_000_000 + number * ROWS_A_CHUNK
        data = b"".join(b"+86%d,x\n" % (first + row) for row in range(ROWS_A_CHUNK))
        yield pb.UploadRequest(chunk=pb.UploadChunk(offset=offset, data=data))
        offset += len(data)


async def test_an_upload_in_full_flow_ends_within_a_second(shared_service: Service) -> None:
    caller = Caller(shared_service)
    import_id = await caller.create()
    stub: Any = import_service_pb2_grpc.ImportServiceStub(shared_service.channel)
    acks: list[pb.UploadAck] = []
    flowing = asyncio.Event()

    async def follow() -> float:
        """The moment at which the stream ended, on the monotonic clock."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for answer in stub.Upload(endless(import_id), metadata=shared_service.metadata):
                if answer.HasField("ack"):
                    acks.append(answer.ack)
                    if len(acks) == 5:
                        flowing.set()
        ended_at = time.monotonic()
        assert told(caught.value)[:2] == ("FAILED_PRECONDITION", "IMPORT_NOT_OPEN")
        return ended_at

    task = asyncio.create_task(follow())
    await asyncio.wait_for(flowing.wait(), 30)
    cancelled = (await caller.call("CancelImport", pb.CancelImportRequest(import_id=import_id))).import_job
    told_at = time.monotonic()
    assert cancelled.state == import_pb2.IMPORT_STATE_CANCELLED
    assert await task - told_at < 1.0

    kept = (await caller.call("GetImport", pb.GetImportRequest(import_id=import_id))).import_job
    assert kept.counts == cancelled.counts
    assert kept.counts.inserted >= acks[-1].counts.inserted > 0
    contacts: Any = contact_service_pb2_grpc.ContactServiceStub(shared_service.channel)
    condition = f'created_import = "{import_id}"'
    listed = await contacts.ListContacts(
        contacts_pb.ListContactsRequest(filter=condition, page_size=1, count_total=True),
        metadata=shared_service.metadata,
    )
    assert listed.total_size == kept.counts.inserted
