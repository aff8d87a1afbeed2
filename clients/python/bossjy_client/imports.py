"""Client of ImportService: a file becomes contacts, exactly once."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar, cast

from bossjy.imports.v1 import import_pb2, import_service_pb2, import_service_pb2_grpc
from bossjy_client.connection import Connection
from bossjy_client.errors import BossjyError, ConflictError, SourceError
from bossjy_client.import_advice import likely_region
from bossjy_client.opening import Opened, Uploadable, open_upload
from bossjy_client.read_options import ReadOptions
from bossjy_client.sources import Source
from bossjy_client.upload import OnProgress, PartUpload
from bossjy_client.upload_parts import upload_parts

T = TypeVar("T")

_log = logging.getLogger(__name__)
# Time limit for cancelling a failed import.
_CANCEL_TIMEOUT_S = 5.0

FINAL_STATES = frozenset(
    {
        import_pb2.IMPORT_STATE_SUCCEEDED,
        import_pb2.IMPORT_STATE_CANCELLED,
        import_pb2.IMPORT_STATE_FAILED,
        import_pb2.IMPORT_STATE_REVERTED,
    }
)


class ImportClient:
    """Every method raises BossjyError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = import_service_pb2_grpc.ImportServiceStub(connection.channel)

    async def upload_file(
        self,
        source: Uploadable,
        spec: import_pb2.ImportSpec | None = None,
        *,
        region: str | None = None,
        parts: int = 1,
        request_id: str = "",
        validate_only: bool = False,
        reading: ReadOptions | None = None,
        on_progress: OnProgress | None = None,
    ) -> import_pb2.Import:
        """Import a source to its end, and return the import with its counts.

        A source is a path, bytes, a binary or text stream, rows as dicts (any iterable of them), a data frame of
        pandas or polars, or an Arrow table. Formats that the service does not read are converted: workbooks, Parquet,
        ORC, Feather, vCard, JSON documents, HTML tables, archives with one table; `reading` selects the content to
        read. Rows and streams are read in a thread of their own. Raises SourceError for an unusable source, before an
        import is made.

        `region` is the region of numbers without a country code, such as "CN". If None, `spec.default_region` or the
        tenant's region applies. If there is none, and the first numbers fit exactly one region, that region is used,
        and the logger `bossjy_client` gets a warning; with an empty `region`, none is chosen.

        Survives broken connections and restarts of the server. To survive the end of this program as well, keep
        `request_id` (a UUID of yours) and call again with the same one and the same bytes: the upload continues, and a
        complete import is returned unchanged. Without it nobody can continue: an import that fails or is interrupted is
        cancelled. With it, it is cancelled if the source fails. Committed rows are kept. `on_progress` is called in the
        event loop. A path is uploaded as at most `parts` parallel streams, if its rows allow that.
        """
        wanted = import_pb2.ImportSpec()
        if spec is not None:
            wanted.CopyFrom(spec)
        options = reading or ReadOptions()
        if not options.columns and wanted.mapping:
            options = replace(options, columns=tuple(one.column for one in wanted.mapping))
        if wanted.source.encoding and not options.encoding:
            options = replace(options, encoding=wanted.source.encoding)
        opened = await _in_thread(
            lambda: open_upload(source, wanted.source, parts=parts, config=self._connection.config, options=options)
        )
        try:
            sources = opened.sources
            opened.describe(wanted.source)
            if opened.table is not None and opened.table.note:
                _log.warning("%s: %s", sources[0].name or "the source", opened.table.note)
            wanted.file_name = wanted.file_name or sources[0].name
            if len(sources) > 1:
                wanted.part_count = len(sources)
            wanted.default_region = (region or wanted.default_region).upper()
            if region is None and not wanted.default_region:
                wanted.default_region = await self._likely_region(sources[0], wanted)
            job = await self.create(wanted, request_id=request_id or str(uuid.uuid4()), validate_only=validate_only)
            if job.state != import_pb2.IMPORT_STATE_OPEN:
                return job
            try:
                return await self._upload(job, sources, on_progress)
            except BaseException as error:
                if not request_id or isinstance(error, SourceError):
                    await self._give_up(job.import_id)
                raise
        finally:
            opened.close()

    async def _likely_region(self, source: Source, spec: import_pb2.ImportSpec) -> str:
        region, advice = await likely_region(
            source, lambda sample, complete: self.preview(sample, spec, complete=complete)
        )
        if region:
            _log.warning("%s: %s; region %s is used", source.name or "the source", advice, region)
        return region

    async def _upload(
        self, job: import_pb2.Import, sources: list[Source], on_progress: OnProgress | None
    ) -> import_pb2.Import:
        if len(sources) == 1:
            return await self.upload_part(job.import_id, sources[0], on_progress=on_progress)
        await upload_parts(
            lambda part, one, tell: self.upload_part(job.import_id, one, part=part, on_progress=tell),
            sources,
            on_progress,
        )
        return await self.get(job.import_id)

    async def _give_up(self, import_id: str) -> None:
        """Cancel an import that nobody continues. If the service is not reached, the import stays open."""
        with suppress(BossjyError, TimeoutError):
            await asyncio.wait_for(self.cancel(import_id), _CANCEL_TIMEOUT_S)

    async def create(
        self, spec: import_pb2.ImportSpec, *, request_id: str, validate_only: bool = False
    ) -> import_pb2.Import:
        """Make an import that waits for its upload; the same `request_id` gives the same import."""
        request = import_service_pb2.CreateImportRequest(request_id=request_id, spec=spec, validate_only=validate_only)
        # The request id makes it safe to repeat.
        return (await self._connection.call(self._stub.CreateImport, request, safe=bool(request_id))).import_job

    async def upload_part(
        self, import_id: str, source: Source, *, part: int = 0, on_progress: OnProgress | None = None
    ) -> import_pb2.Import:
        """Upload one part to its end, from the position that the server names. Several parts may upload in parallel."""
        upload = PartUpload(self._connection, self._stub.Upload, import_id, source, part=part, on_progress=on_progress)
        try:
            return await upload.run()
        except ConflictError as error:
            # The last message of an earlier try was lost: the part is finished, and there is no error.
            job = await self.get(import_id) if error.reason == "IMPORT_NOT_OPEN" else None
            if job is not None and any(done.part == part and done.finished for done in job.parts):
                return job
            raise

    async def get(self, import_id: str) -> import_pb2.Import:
        """An import."""
        request = import_service_pb2.GetImportRequest(import_id=import_id)
        return (await self._connection.call(self._stub.GetImport, request)).import_job

    async def list(self, filter: str = "") -> AsyncIterator[import_pb2.Import]:  # noqa: A002 (the contract's name)
        """Imports, the newest first."""
        request = import_service_pb2.ListImportsRequest(filter=filter)
        while True:
            answer = await self._connection.call(self._stub.ListImports, request)
            for job in answer.import_jobs:
                yield job
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def watch(self, import_id: str, *, after_revision: int = 0) -> AsyncIterator[import_pb2.Import]:
        """The import after each of its changes, until it has ended. Opened again if the server ends an idle stream."""
        request = import_service_pb2.WatchImportRequest(import_id=import_id, after_revision=after_revision)
        while True:
            try:
                async for answer in self._connection.stream(self._stub.WatchImport, request):
                    request.after_revision = answer.import_job.revision
                    yield answer.import_job
            except BossjyError as error:
                if error.reason != "STREAM_IDLE":
                    raise
            else:
                return

    async def preview(
        self,
        sample: bytes,
        spec: import_pb2.ImportSpec | None = None,
        *,
        complete: bool = False,
        partial: bool = False,
    ) -> import_service_pb2.PreviewImportResponse:
        """The result of an import of the first bytes of a file (at most 1 MiB); stores nothing.

        `region_advice` reports a missing or wrong region. With `partial`, a problem that another header row or mapping
        would repair is not an error: the answer has it as `problem`, and the first rows as `sheet`.
        """
        request = import_service_pb2.PreviewImportRequest(spec=spec, sample=sample, complete=complete, partial=partial)
        return await self._connection.call(self._stub.PreviewImport, request)

    async def cancel(self, import_id: str) -> import_pb2.Import:
        """End an open import. Committed rows are kept."""
        request = import_service_pb2.CancelImportRequest(import_id=import_id)
        return (await self._connection.call(self._stub.CancelImport, request)).import_job

    async def rejected_rows(
        self,
        import_id: str,
        *,
        reason: import_pb2.RejectReason.ValueType = import_pb2.REJECT_REASON_UNSPECIFIED,
    ) -> AsyncIterator[import_pb2.RejectedRow]:
        """The rejected rows, in the order of the file."""
        request = import_service_pb2.ListRejectedRowsRequest(import_id=import_id, reason=reason, page_size=1000)
        while True:
            answer = await self._connection.call(self._stub.ListRejectedRows, request)
            for row in answer.rows:
                yield row
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def export_rejected_rows(
        self, import_id: str, *, plain_cells: bool = False
    ) -> AsyncIterator[import_service_pb2.ExportRejectedRowsResponse]:
        """The rejected rows as the bytes of a CSV file, piece by piece.

        With `plain_cells`, cells that a spreadsheet would run as formulas are not escaped.
        """
        request = import_service_pb2.ExportRejectedRowsRequest(import_id=import_id, plain_cells=plain_cells)
        async for piece in self._connection.stream(self._stub.ExportRejectedRows, request):
            yield piece

    async def duplicate_rows(self, import_id: str) -> AsyncIterator[import_pb2.DuplicateRow]:
        """The rows that lost against another row of the import with the same number, in the order of the file."""
        request = import_service_pb2.ListDuplicateRowsRequest(import_id=import_id, page_size=1000)
        while True:
            answer = await self._connection.call(self._stub.ListDuplicateRows, request)
            for row in answer.rows:
                yield row
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def export_duplicate_rows(
        self, import_id: str, *, plain_cells: bool = False
    ) -> AsyncIterator[import_service_pb2.ExportDuplicateRowsResponse]:
        """The duplicate rows as the bytes of a CSV file, piece by piece. `plain_cells`: as `export_rejected_rows`."""
        request = import_service_pb2.ExportDuplicateRowsRequest(import_id=import_id, plain_cells=plain_cells)
        async for piece in self._connection.stream(self._stub.ExportDuplicateRows, request):
            yield piece

    async def changed_contacts(self, import_id: str) -> AsyncIterator[import_pb2.ChangedContact]:
        """The contacts that the import changed, by number, with the former and the new value of each field."""
        request = import_service_pb2.ListChangedContactsRequest(import_id=import_id, page_size=1000)
        while True:
            answer = await self._connection.call(self._stub.ListChangedContacts, request)
            for contact in answer.contacts:
                yield contact
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def revert(self, import_id: str, *, validate_only: bool = False) -> import_service_pb2.RevertImportResponse:
        """Revert an import; with `validate_only` only count. Not repeated: a second call is rejected."""
        request = import_service_pb2.RevertImportRequest(import_id=import_id, validate_only=validate_only)
        return await self._connection.call(self._stub.RevertImport, request, safe=validate_only)


async def _in_thread(call: Callable[[], T]) -> T:
    """The result of a call that may wait for a producer, in a daemon thread: the end of the program does not wait."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            if isinstance(result, Opened):
                result.close()
        elif error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("T", result))

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (call(), None)
        except Exception as error:  # noqa: BLE001 - raised in the waiting task
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="bossjy-open", daemon=True).start()
    return await done
