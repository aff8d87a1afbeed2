"""Cancellation of an upload in full flow: its stream ends at once, and acknowledged rows stay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.contacts.v1 import contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.caller import Caller
from tests.service import Service
from tests.stream_status import Ended

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS_A_CHUNK = 10_000
MOST_CHUNKS = 2_000


def endless(import_id: str) -> Iterator[pb.UploadRequest]:
    """Rows as fast as the server accepts them, all of them new."""
    yield pb.UploadRequest(open=pb.UploadOpen(import_id=import_id))
    header = b"phone,name\n"
    yield pb.UploadRequest(chunk=pb.UploadChunk(offset=0, data=header))
    offset = len(header)
    for number in range(MOST_CHUNKS):
        first = 13_800_000_000 + number * ROWS_A_CHUNK
        data = b"".join(b"+86%d,x\n" % (first + row) for row in range(ROWS_A_CHUNK))
        yield pb.UploadRequest(chunk=pb.UploadChunk(offset=offset, data=data))
        offset += len(data)


# The service ends it within a second (`-s` shows the time); a machine that is busy with other tests may take longer.
MOST_S = 10.0


class Flow:
    """An upload that continues until it is ended."""

    def __init__(self, service: Service) -> None:
        self.caller = Caller(service)
        self.import_id = ""
        self.acks: list[pb.UploadAck] = []
        self._flowing = asyncio.Event()

    async def cancelled(self) -> tuple[import_pb2.Import, Ended]:
        """The answer of CancelImport in full flow, and the end of the stream."""
        self.import_id = await self.caller.create()
        task = asyncio.create_task(self._follow())
        await asyncio.wait_for(self._flowing.wait(), 60)
        request = pb.CancelImportRequest(import_id=self.import_id)
        answer = (await self.caller.call("CancelImport", request)).import_job
        told_at = time.monotonic()
        ended, ended_at = await asyncio.wait_for(task, MOST_S)
        print(f"the stream ended {ended_at - told_at:.2f} s after the answer to CancelImport")
        return answer, ended

    async def _follow(self) -> tuple[Ended, float]:
        ended = await self.caller.refused_stream(endless(self.import_id), self._answered)
        return ended, time.monotonic()

    def _answered(self, answer: pb.UploadResponse) -> None:
        if answer.HasField("ack"):
            self.acks.append(answer.ack)
            if len(self.acks) == 5:
                self._flowing.set()


async def test_an_upload_in_full_flow_ends_at_once(shared_service: Service) -> None:
    flow = Flow(shared_service)
    cancelled, ended = await flow.cancelled()
    assert (ended.code, ended.reason) == ("FAILED_PRECONDITION", "IMPORT_NOT_OPEN")
    assert cancelled.state == import_pb2.IMPORT_STATE_CANCELLED

    kept = (await flow.caller.call("GetImport", pb.GetImportRequest(import_id=flow.import_id))).import_job
    assert kept.counts == cancelled.counts
    assert kept.counts.inserted >= flow.acks[-1].counts.inserted > 0
    contacts: Any = contact_service_pb2_grpc.ContactServiceStub(shared_service.channel)
    listed = await contacts.ListContacts(
        contacts_pb.ListContactsRequest(filter=f'created_import = "{flow.import_id}"', page_size=1, count_total=True),
        metadata=shared_service.metadata,
    )
    assert listed.total_size == kept.counts.inserted
