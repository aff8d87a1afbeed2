"""ImportService: converts requests, makes one call, and converts the result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_numbering import Plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_server.context import current_caller
from bossjy_server.imports import convert
from bossjy_server.imports.answers import (
    changed_contact,
    conflict,
    duplicate_row,
    preview_answer,
    rejected_row,
    upload_answer,
)
from bossjy_server.imports.database.cleanup import Cleanup
from bossjy_server.imports.database.revert import Reverting
from bossjy_server.imports.files.duplicate_file import duplicate_file
from bossjy_server.imports.files.reject_file import reject_file
from bossjy_server.imports.jobs import ImportJobs
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.preview import preview
from bossjy_server.imports.records import State
from bossjy_server.imports.requests import check_terms, message_from, spec_from
from bossjy_server.imports.upload.block_slots import block_shares
from bossjy_server.imports.upload.messages import Message
from bossjy_server.imports.upload.stream import Upload
from bossjy_server.imports.upload.threads import ImportThreads
from bossjy_server.imports.upload.upload_state import UploadProcess
from bossjy_server.storage.cache import Cache, Loaded
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database

_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportCaches:
    """`ended`: answers of GetImport for imports that have ended; `contact_stats`: counts that an import invalidates."""

    ended: Cache
    contact_stats: Cache


class ImportServicer:
    """The methods of bossjy.imports.v1.ImportService. All others answer METHOD_NOT_AVAILABLE."""

    def __init__(
        self,
        database: Database,
        plan: Plan,
        draining: asyncio.Event,
        options: ImportOptions | None = None,
        *,
        pages: Pages,
        caches: ImportCaches | None = None,
        load_enrichment: Callable[[], Enrichment] = load_enrichment,
        metrics: ImportMetrics | None = None,
    ) -> None:
        options = options or ImportOptions()
        self._pages = pages
        self._caches = caches
        self._options = options
        self._database = database
        self._jobs = ImportJobs(database, options, plan.version)
        self._reverting = Reverting(database, options.revert_timeout_s, options.revert_days)
        self._threads = ImportThreads(options.threads)
        self._cleanup = Cleanup(database, options.revert_days)
        self._process = UploadProcess(
            database,
            plan,
            options,
            self._threads,
            block_shares(options.blocks),
            draining,
            load_enrichment,
            metrics or ImportMetrics(),
            self._cleanup,
        )

    async def close(self) -> None:
        """End the threads and the work after calls; uploads must have ended."""
        await self._cleanup.close()
        self._threads.close()

    async def CreateImport(self, request: pb.CreateImportRequest) -> pb.CreateImportResponse:
        """Make an import."""
        job = await self._jobs.create(
            current_caller(),
            check_terms(spec_from(request.spec), self._process.plan),
            request_id=request.request_id,
            validate_only=request.validate_only,
        )
        return pb.CreateImportResponse(
            import_job=convert.import_job(job), max_chunk_bytes=self._options.max_chunk_bytes
        )

    async def Upload(self, requests: AsyncIterator[pb.UploadRequest]) -> AsyncGenerator[pb.UploadResponse]:
        """Upload one part."""
        upload = Upload(self._process, current_caller())
        answers = upload.run(_messages(requests))
        try:
            async for answer in answers:
                await self._changed()  # an answer may acknowledge rows
                yield upload_answer(answer)
        finally:
            await answers.aclose()

    async def PreviewImport(self, request: pb.PreviewImportRequest) -> pb.PreviewImportResponse:
        """Show the result of an import for the first bytes of a file."""
        spec = check_terms(spec_from(request.spec), self._process.plan)
        if not spec.default_region:
            spec = spec.with_region(await self._jobs.default_region(current_caller().tenant_id))
        found = await self._threads.run(
            current_caller().tenant_id,
            lambda: preview(
                request.sample,
                spec,
                self._process.plan,
                self._options,
                complete=request.complete,
                partial=request.partial,
            ),
        )
        return preview_answer(found)

    async def GetImport(self, request: pb.GetImportRequest) -> pb.GetImportResponse:
        """Read an import."""
        tenant_id = current_caller().tenant_id

        async def read() -> Loaded:
            job = await self._jobs.get(tenant_id, request.import_id)
            answer = pb.GetImportResponse(import_job=convert.import_job(job))
            return Loaded(answer.SerializeToString(), keep=job.state is not State.OPEN)

        caches = self._caches
        answer = (await read()).value if caches is None else await caches.ended.get(tenant_id, request.import_id, read)
        return pb.GetImportResponse.FromString(answer or b"")

    async def ListImports(self, request: pb.ListImportsRequest) -> pb.ListImportsResponse:
        """List imports, the newest first."""
        tenant_id = current_caller().tenant_id
        page = self._pages.open(request, tenant_id, kinds=(datetime, str))
        rows = await self._jobs.list_jobs(tenant_id, request.filter, page.cursor, page.limit)
        jobs, token = page.answer(rows, convert.import_job, lambda job: (job.create_time, job.import_id))
        return pb.ListImportsResponse(import_jobs=jobs, next_page_token=token)

    async def WatchImport(self, request: pb.WatchImportRequest) -> AsyncGenerator[pb.WatchImportResponse]:
        """Stream an import after each change."""
        changes = self._jobs.watch(current_caller().tenant_id, request.import_id, request.after_revision)
        async for job in changes:
            yield pb.WatchImportResponse(import_job=convert.import_job(job))

    async def CancelImport(self, request: pb.CancelImportRequest) -> pb.CancelImportResponse:
        """End an open import."""
        job = await self._jobs.cancel(current_caller().tenant_id, request.import_id)
        self._cleanup.begin(current_caller().tenant_id, request.import_id)
        return pb.CancelImportResponse(import_job=convert.import_job(job))

    async def ListRejectedRows(self, request: pb.ListRejectedRowsRequest) -> pb.ListRejectedRowsResponse:
        """List rejected rows in the order of the file."""
        tenant_id = current_caller().tenant_id
        page = self._pages.open(request, tenant_id, kinds=(int, int))
        found = await self._jobs.list_rejects(
            tenant_id, request.import_id, page.cursor or (0, -1), reason=request.reason, limit=page.limit
        )
        rows, token = page.answer(found, rejected_row, lambda row: (row.part, row.byte_offset))
        return pb.ListRejectedRowsResponse(rows=rows, next_page_token=token)

    async def ExportRejectedRows(
        self, request: pb.ExportRejectedRowsRequest
    ) -> AsyncGenerator[pb.ExportRejectedRowsResponse]:
        """Stream the rejected rows as a CSV file."""
        pieces = reject_file(self._database, current_caller().tenant_id, request.import_id, plain=request.plain_cells)
        async for data, count in pieces:
            for start in range(0, len(data), _PIECE_BYTES):
                yield pb.ExportRejectedRowsResponse(data=data[start : start + _PIECE_BYTES], row_count=count)

    async def ListDuplicateRows(self, request: pb.ListDuplicateRowsRequest) -> pb.ListDuplicateRowsResponse:
        """List duplicate rows in the order of the file."""
        tenant_id = current_caller().tenant_id
        page = self._pages.open(request, tenant_id, kinds=(int, int))
        found = await self._jobs.list_duplicates(tenant_id, request.import_id, page.cursor or (0, -1), page.limit)
        rows, token = page.answer(found, duplicate_row, lambda row: (row.part, row.byte_offset))
        return pb.ListDuplicateRowsResponse(rows=rows, next_page_token=token)

    async def ExportDuplicateRows(
        self, request: pb.ExportDuplicateRowsRequest
    ) -> AsyncGenerator[pb.ExportDuplicateRowsResponse]:
        """Stream the duplicate rows as a CSV file."""
        tenant_id = current_caller().tenant_id
        pieces = duplicate_file(self._database, tenant_id, request.import_id, plain=request.plain_cells)
        async for data, count in pieces:
            for start in range(0, len(data), _PIECE_BYTES):
                yield pb.ExportDuplicateRowsResponse(data=data[start : start + _PIECE_BYTES], row_count=count)

    async def ListChangedContacts(self, request: pb.ListChangedContactsRequest) -> pb.ListChangedContactsResponse:
        """List the contacts that an import changed, by number."""
        tenant_id = current_caller().tenant_id
        page = self._pages.open(request, tenant_id, kinds=(str,))
        (after,) = page.cursor or ("",)
        found, policy = await self._jobs.list_changes(tenant_id, request.import_id, after, page.limit)
        contacts, token = page.answer(found, lambda one: changed_contact(one, policy), lambda one: (one.e164,))
        return pb.ListChangedContactsResponse(contacts=contacts, next_page_token=token)

    async def RevertImport(self, request: pb.RevertImportRequest) -> pb.RevertImportResponse:
        """Revert an import."""
        done = await self._reverting.revert(
            current_caller().tenant_id, request.import_id, validate_only=request.validate_only
        )
        await self._changed(ended=True)
        return pb.RevertImportResponse(
            import_job=convert.import_job(done.job),
            removed_count=done.removed,
            restored_count=done.restored,
        )

    async def ListRevertConflicts(self, request: pb.ListRevertConflictsRequest) -> pb.ListRevertConflictsResponse:
        """List the contacts that RevertImport did not revert, by number."""
        tenant_id = current_caller().tenant_id
        page = self._pages.open(request, tenant_id, kinds=(str,))
        (after,) = page.cursor or ("",)
        found = await self._reverting.list_conflicts(tenant_id, request.import_id, after, page.limit)
        conflicts, token = page.answer(found, conflict, lambda one: (one.e164,))
        return pb.ListRevertConflictsResponse(conflicts=conflicts, next_page_token=token)

    async def _changed(self, *, ended: bool = False) -> None:
        """Drop cache entries of the tenant: counts of contacts, and imports if one changed after its end."""
        if self._caches is not None:
            await self._caches.contact_stats.forget(current_caller().tenant_id)
            if ended:
                await self._caches.ended.forget(current_caller().tenant_id)


async def _messages(requests: AsyncIterator[pb.UploadRequest]) -> AsyncIterator[Message]:
    async for request in requests:
        yield message_from(request)
