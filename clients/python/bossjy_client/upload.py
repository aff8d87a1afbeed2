"""Upload of one part: chunks within the server's window, resumed from the last committed byte.

The server acknowledges an offset only after it committed its rows and the offset itself in one transaction. So the
client has no state of its own: it opens the part, gets the position to continue from, and sends from there. Each
row counts once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio
from grpc.aio import EOF

from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_client.call_options import time_left
from bossjy_client.checksum import crc32c
from bossjy_client.connection import Connection, backoff_s, end_of, is_passing
from bossjy_client.errors import BossjyError, SourceError, UnavailableError, UploadError, from_rpc_error
from bossjy_client.sources import Source

# Errors after which the stream is opened again, because the server then names the position to continue from.
_RESUMABLE = frozenset({"OFFSET_GAP", "UPLOAD_IDLE", "CHECKSUM_MISMATCH", "PART_TAKEN", "PART_SIZE_MISMATCH"})
# Sending again repairs a damaged chunk, but not a file whose checksum stays wrong.
_CHECKSUM_ATTEMPTS = 3
# Codes of a broken connection or a proxy, without a reason of the service. INTERNAL also hides a rejection whose
# status arrived during a write (grpc/grpc issue 36066); the next opening gets the rejection itself.
_BROKEN = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The progress of an upload. Sizes in bytes; `total_bytes` is None while the size of a stream is not known."""

    sent_bytes: int
    committed_bytes: int
    total_bytes: int | None
    counts: import_pb2.ImportCounts
    reopened: int
    """Times that the upload was opened again, after a broken connection or a restart of the server."""


OpenStream = Callable[
    ..., grpc.aio.StreamStreamCall[import_service_pb2.UploadRequest, import_service_pb2.UploadResponse]
]
OnProgress = Callable[[UploadProgress], None]


class PartUpload:
    """The upload of one part. Make one and await `run`."""

    def __init__(
        self,
        connection: Connection,
        open_stream: OpenStream,
        import_id: str,
        source: Source,
        *,
        part: int = 0,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._connection = connection
        self._open_stream = open_stream
        self._import_id = import_id
        self._part = part
        self._source = source
        self._on_progress = on_progress
        self._reopened = 0

    async def run(self) -> import_pb2.Import:
        """Upload to the end. Returns the import from the last message.

        Raises UploadError if no byte was committed in `ClientConfig.upload_attempts` tries, SourceError if the bytes
        cannot be read, and the server's own error if opening again would not help.
        """
        config = self._connection.config
        attempt = 0
        committed = -1
        while True:
            metadata = await self._connection.metadata()
            stream = _Stream(self._connection, self._import_id, self._part, self._source, self._tell)
            try:
                return await stream.run(self._open_stream, metadata)
            except BossjyError as error:
                failure = error
            if stream.committed > committed:
                committed, attempt = stream.committed, 0
            attempt += 1
            self._reopened += 1
            if await self._connection.renew_after(failure, metadata):
                continue
            if failure.reason == "UPLOAD_IDLE" and stream.committed >= 0:
                # The producer pauses, perhaps for hours: the upload is opened again when there are bytes to send.
                await self._source.read(stream.sent, 1)
                attempt = 0
            limit = _CHECKSUM_ATTEMPTS if failure.reason == "CHECKSUM_MISMATCH" else config.upload_attempts
            if not _is_resumable(failure):
                raise failure
            if attempt >= limit:
                raise UploadError(
                    f"the upload made no progress in {attempt} tries: {failure}. Committed rows are kept; "
                    "start the same upload again to resume",
                    code=failure.code,
                    reason=failure.reason,
                    request_id=failure.request_id,
                ) from failure
            await asyncio.sleep(backoff_s(attempt - 1, config, min(failure.retry_after_s or 0.0, config.max_backoff_s)))

    def _tell(self, stream: _Stream) -> None:
        if self._on_progress is not None:
            self._on_progress(
                UploadProgress(stream.sent, max(stream.committed, 0), self._source.size, stream.counts, self._reopened)
            )


def _is_resumable(failure: BossjyError) -> bool:
    if isinstance(failure, SourceError):
        return False
    return is_passing(failure) or failure.reason in _RESUMABLE or (not failure.reason and failure.code in _BROKEN)


class _Stream:
    """One opening of the part: a task of gRPC takes requests while `run` reads the answers."""

    def __init__(
        self,
        connection: Connection,
        import_id: str,
        part: int,
        source: Source,
        tell: Callable[[_Stream], None],
    ) -> None:
        self._config = connection.config
        self._open = import_service_pb2.UploadOpen(import_id=import_id, part=part)
        self._source = source
        self._tell = tell
        self._window = self._config.window_bytes
        self._changed = asyncio.Event()
        self._draining = False
        self._ended = False
        self._awaits_source = False
        self._active_s = 0.0  # time of the last message in either direction
        self._failure: BossjyError | None = None
        self._call: Any = None
        self.sent = 0
        self.committed = -1  # -1: not opened yet
        self.counts = import_pb2.ImportCounts()

    async def run(self, open_stream: OpenStream, metadata: object) -> import_pb2.Import:
        self._call = open_stream(self._requests(), metadata=metadata, timeout=time_left())
        try:
            return await self._answers()
        except grpc.aio.AioRpcError as error:
            raise self._failure or from_rpc_error(error) from None
        except asyncio.CancelledError:
            if self._failure is None:
                raise
            raise self._failure from None
        finally:
            self._call.cancel()
            # That does not end gRPC's task that takes the requests; it may wait for an answer that never comes.
            self._ended = True
            self._changed.set()

    async def _answers(self) -> import_pb2.Import:
        while True:
            answer = await self._answer()
            if answer is EOF:
                raise UnavailableError("the server ended the upload before its end", code="UNAVAILABLE")
            kind = answer.WhichOneof("message")
            if kind == "finished":
                job: import_pb2.Import = answer.finished.import_job
                await end_of(self._call)
                return job
            self._take(kind, answer)
            self._changed.set()
            self._tell(self)

    async def _answer(self) -> Any:
        """The next answer, or EOF. Raises UnavailableError if the server is silent although an answer is due."""
        clock, limit = asyncio.get_running_loop().time, self._config.stall_timeout_s
        reading = asyncio.ensure_future(self._call.read())
        self._active_s = clock()
        try:
            while not (await asyncio.wait({reading}, timeout=max(0.01, self._active_s + limit - clock())))[0]:
                if self._awaits_source:
                    self._active_s = clock()  # nothing was sent, so no answer is due
                elif clock() - self._active_s >= limit:
                    raise UnavailableError(f"the server was silent for {limit:g} s", code="UNAVAILABLE")
            return reading.result()
        finally:
            reading.cancel()

    def _take(self, kind: str, answer: import_service_pb2.UploadResponse) -> None:
        if kind == "opened":
            self.committed = self.sent = answer.opened.next_offset
            self.counts = answer.opened.counts
        elif kind == "ack":
            self.committed = answer.ack.committed_offset
            self.counts = answer.ack.counts
            self._source.release(self.committed)
        elif kind == "skipped":
            self.committed = max(self.committed, answer.skipped.committed_offset)
        elif kind == "flow":
            self._window = min(self._config.window_bytes, answer.flow.window_bytes)
        elif kind == "shutting_down":
            self._draining = True

    async def _requests(self) -> AsyncIterator[import_service_pb2.UploadRequest]:
        yield import_service_pb2.UploadRequest(open=self._open)
        try:
            await self._opened()
            if self._ended:
                return
            digest = hashlib.sha256() if self.sent == 0 else None
            while data := await self._data():
                if self._draining or self._ended:
                    return
                if digest is not None:
                    digest.update(data)
                chunk = import_service_pb2.UploadChunk(offset=self.sent, data=data, crc32c=crc32c(data))
                self.sent += len(data)
                yield import_service_pb2.UploadRequest(chunk=chunk)
                self._tell(self)
        except BossjyError as error:
            self._failure = error
            self._call.cancel()
            return
        checksum = digest.digest() if digest is not None else self._source.sha256 or b""
        finish = import_service_pb2.UploadFinish(size_bytes=self.sent, sha256=checksum)
        yield import_service_pb2.UploadRequest(finish=finish)

    async def _data(self) -> bytes:
        """The next bytes, as many as fit the window; empty at the end."""
        room = await self._room()
        self._awaits_source = True
        try:
            return await self._source.read(self.sent, room)
        finally:
            self._awaits_source = False
            self._active_s = asyncio.get_running_loop().time()

    async def _opened(self) -> None:
        while self.committed < 0 and not self._ended:
            await self._change()

    async def _room(self) -> int:
        """The most bytes of the next chunk: waits until the window has room, or the server drains."""
        while not (self._draining or self._ended) and self.sent >= self.committed + self._window:
            await self._change()
        return max(1, min(self._config.chunk_bytes, self.committed + self._window - self.sent))

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
