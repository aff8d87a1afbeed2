"""ImportService: convert in, one call, convert out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_numbering import Plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_server.context import current_caller
from bossjy_server.imports import convert
from bossjy_server.imports.jobs import ImportJobs
from bossjy_server.imports.messages import Message
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.preview import preview
from bossjy_server.imports.process import UploadProcess
from bossjy_server.imports.records import State
from bossjy_server.imports.reject_file import reject_file
from bossjy_server.imports.revert import Reverting
from bossjy_server.imports.tidying import Tidying
from bossjy_server.imports.upload import Upload
from bossjy_server.storage.cache import Cache, Loaded
from bossjy_server.storage.pages import page_token, read_page_token
from bossjy_server.storage.postgres import Database

_IMPORTS_A_PAGE = 50
_REJECTS_A_PAGE = 100
_CONFLICTS_A_PAGE = 100
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportCaches:
    """`ended`: answers of GetImport of imports that have ended; `contact_stats`: what an import makes wrong."""

    ended: Cache
    contact_stats: Cache


class ImportServicer:
    """The methods of bossjy.imports.v1.ImportService; one that is not here answers METHOD_NOT_AVAILABLE."""

    def __init__(
        self,
        database: Database,
        plan: Plan,
        draining: asyncio.Event,
        options: ImportOptions | None = None,
        *,
        caches: ImportCaches | None = None,
        load_enrichment: Callable[[], Enrichment] = load_enrichment,
        metrics: ImportMetrics | None = None,
    ) -> None:
        options = options or ImportOptions()
        self._caches = caches
        self._options = options
        self._database = database
        self._jobs = ImportJobs(database, options, plan.version)
        self._reverting = Reverting(database, options.revert_timeout_s)
        self._executor = ThreadPoolExecutor(options.threads, thread_name_prefix="bossjy-import")
        self._tidying = Tidying(database)
        self._process = UploadProcess(
            database,
            plan,
            options,
            self._executor,
            draining,
            load_enrichment,
            metrics or ImportMetrics(),
            self._tidying,
        )

    async def close(self) -> None:
        """End the threads and what goes on behind calls; uploads must have ended."""
        await self._tidying.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def CreateImport(self, request: pb.CreateImportRequest) -> pb.CreateImportResponse:
        """Make an import."""
        job = await self._jobs.create(
            current_caller(),
            convert.spec_from(request.spec),
            request_id=request.request_id,
            validate_only=request.validate_only,
        )
        return pb.CreateImportResponse(
            import_job=convert.import_job(job), max_chunk_bytes=self._options.max_chunk_bytes
        )

    async def Upload(self, requests: AsyncIterator[pb.UploadRequest]) -> AsyncGenerator[pb.UploadResponse]:
        """Upload one part."""
        upload = Upload(self._process, current_caller().tenant_id)
        answers = upload.run(_messages(requests))
        try:
            async for answer in answers:
                await self._changed()  # an answer may acknowledge rows
                yield convert.answer(answer)
        finally:
            await answers.aclose()

    async def PreviewImport(self, request: pb.PreviewImportRequest) -> pb.PreviewImportResponse:
        """Show what an import would make of the first bytes of a file."""
        spec = convert.spec_from(request.spec)
        if not spec.default_region:
            spec = spec.with_region(await self._jobs.default_region(current_caller().tenant_id))
        found = await asyncio.get_running_loop().run_in_executor(
            self._executor,
            lambda: preview(request.sample, spec, self._process.plan, self._options, complete=request.complete),
        )
        return convert.preview(found)

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
        size = request.page_size or _IMPORTS_A_PAGE
        listing = ["imports", current_caller().tenant_id, request.filter]
        cursor = read_page_token(listing, request.page_token, str, str)
        before = (datetime.fromisoformat(str(cursor[0])), str(cursor[1])) if cursor else None
        jobs = await self._jobs.list_jobs(current_caller().tenant_id, request.filter, before, size + 1)
        token = ""
        if len(jobs) > size:
            last = jobs[size - 1]
            token = page_token(listing, last.create_time.isoformat(), last.import_id)
        return pb.ListImportsResponse(
            import_jobs=[convert.import_job(job) for job in jobs[:size]], next_page_token=token
        )

    async def WatchImport(self, request: pb.WatchImportRequest) -> AsyncGenerator[pb.WatchImportResponse]:
        """Stream an import each time it changed."""
        changes = self._jobs.watch(current_caller().tenant_id, request.import_id, request.after_revision)
        async for job in changes:
            yield pb.WatchImportResponse(import_job=convert.import_job(job))

    async def CancelImport(self, request: pb.CancelImportRequest) -> pb.CancelImportResponse:
        """End an open import."""
        job = await self._jobs.cancel(current_caller().tenant_id, request.import_id)
        self._tidying.begin(current_caller().tenant_id, request.import_id)
        return pb.CancelImportResponse(import_job=convert.import_job(job))

    async def ListRejectedRows(self, request: pb.ListRejectedRowsRequest) -> pb.ListRejectedRowsResponse:
        """List refused rows in the order of the file."""
        size = request.page_size or _REJECTS_A_PAGE
        tenant_id = current_caller().tenant_id
        listing: list[str | int] = ["rejects", tenant_id, request.import_id, request.reason]
        cursor = read_page_token(listing, request.page_token, int, int)
        after = (int(cursor[0]), int(cursor[1])) if cursor else (0, -1)
        rows = await self._jobs.list_rejects(tenant_id, request.import_id, after, reason=request.reason, limit=size + 1)
        token = page_token(listing, rows[size - 1].part, rows[size - 1].byte_offset) if len(rows) > size else ""
        return pb.ListRejectedRowsResponse(
            rows=[convert.rejected_row(row) for row in rows[:size]], next_page_token=token
        )

    async def ExportRejectedRows(
        self, request: pb.ExportRejectedRowsRequest
    ) -> AsyncGenerator[pb.ExportRejectedRowsResponse]:
        """Stream the refused rows as a CSV file."""
        async for data, count in reject_file(self._database, current_caller().tenant_id, request.import_id):
            for start in range(0, len(data), _PIECE_BYTES):
                yield pb.ExportRejectedRowsResponse(data=data[start : start + _PIECE_BYTES], row_count=count)

    async def RevertImport(self, request: pb.RevertImportRequest) -> pb.RevertImportResponse:
        """Take an import back."""
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
        """List the contacts that RevertImport left alone, by number."""
        size = request.page_size or _CONFLICTS_A_PAGE
        tenant_id = current_caller().tenant_id
        listing = ["conflicts", tenant_id, request.import_id]
        cursor = read_page_token(listing, request.page_token, str)
        after = str(cursor[0]) if cursor else ""
        found = await self._reverting.list_conflicts(tenant_id, request.import_id, after, size + 1)
        token = page_token(listing, found[size - 1].e164) if len(found) > size else ""
        return pb.ListRevertConflictsResponse(
            conflicts=[convert.conflict(one) for one in found[:size]], next_page_token=token
        )

    async def _changed(self, *, ended: bool = False) -> None:
        """Forget what is cached of the tenant: counts of contacts, and imports where one changed after its end."""
        if self._caches is not None:
            await self._caches.contact_stats.forget(current_caller().tenant_id)
            if ended:
                await self._caches.ended.forget(current_caller().tenant_id)


async def _messages(requests: AsyncIterator[pb.UploadRequest]) -> AsyncIterator[Message]:
    async for request in requests:
        yield convert.message_from(request)
