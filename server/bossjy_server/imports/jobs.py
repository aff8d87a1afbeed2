"""Import jobs: create, read, list, watch and cancel imports."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from bossjy_server.context import Caller, current_caller
from bossjy_server.errors import AlreadyExists, InvalidArgument, NotFound, Reason, ResourceExhausted, Violation
from bossjy_server.imports.cleaning.duplicates import DuplicateRow
from bossjy_server.imports.database import change_store, duplicate_store, reject_store, store
from bossjy_server.imports.database.change_store import Changed
from bossjy_server.imports.database.commit import import_not_open
from bossjy_server.imports.filters import parse_filter
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.records import ExistingPolicy, ImportJob, RejectedRow, Spec, State
from bossjy_server.storage import audit
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Connection, Database

# Later than any import: the start of the first page of a list.
_NEWEST = (datetime.max.replace(tzinfo=UTC), "")


class ImportJobs:
    """The operations on imports besides uploads."""

    def __init__(self, database: Database, options: ImportOptions, plan_version: str) -> None:
        self._database = database
        self._options = options
        self._plan_version = plan_version

    async def create(self, caller: Caller, spec: Spec, *, request_id: str, validate_only: bool) -> ImportJob:
        """Make an import, or return the one that the same request made before.

        Raises AlreadyExists(REQUEST_ID_REUSED), ResourceExhausted(QUOTA_EXCEEDED), NotFound for the parent.
        """
        if spec.part_count > self._options.max_parts:
            limit = self._options.max_parts
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                f"an import has at most {limit} parts, {spec.part_count} were asked for: send larger ones",
                violations=[Violation("spec.part_count", f"at most {limit}")],
                metadata={"limit": str(limit)},
            )
        if spec.part_count > 1 and spec.source.columns == () and spec.source.header.name == "ABSENT":
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                "a file in several parts needs a header or source.columns",
                violations=[Violation("spec.source.columns", "give the names of the columns")],
            )
        fingerprint = hashlib.sha256(f"{validate_only}{spec.to_json()}".encode()).digest()
        import_id = f"imp_{secrets.token_hex(10)}"
        async with self._database.tenant(caller.tenant_id) as connection:
            if request_id and (made := await store.find_request(connection, caller.tenant_id, request_id)):
                return await self._repeated(connection, caller.tenant_id, made, fingerprint)
            open_count, own = await store.count_open(connection, caller.tenant_id)
            # Repeated under the lock: of two equal calls at once, the second waited there.
            if request_id and (made := await store.find_request(connection, caller.tenant_id, request_id)):
                return await self._repeated(connection, caller.tenant_id, made, fingerprint)
            limit = self._options.max_open_imports if own is None else own
            if open_count >= limit:
                raise ResourceExhausted(
                    Reason.QUOTA_EXCEEDED,
                    f"the tenant has {open_count} open imports, {limit} are allowed: finish or cancel some",
                    metadata={"limit": str(limit)},
                )
            if spec.parent_import_id:
                await self._find(connection, caller.tenant_id, spec.parent_import_id)
            await store.insert_import(
                connection,
                caller.tenant_id,
                import_id,
                request_id=request_id,
                request_hash=fingerprint,
                created_by=caller.api_key_id or caller.user_id,
                spec=spec,
                validate_only=validate_only,
                plan_version=self._plan_version,
            )
            await audit.record(connection, caller.tenant_id, "imports.create", resource=import_id)
            await hold_caller(connection, caller)
            return await self._find(connection, caller.tenant_id, import_id)

    async def get(self, tenant_id: str, import_id: str) -> ImportJob:
        """Read an import. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            return await self._find(connection, tenant_id, import_id)

    async def list_jobs(
        self, tenant_id: str, filter_text: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[ImportJob]:
        """A page of imports, the newest first, older than `before` (time, import id). Raises InvalidArgument."""
        tree = parse_filter(filter_text)
        async with self._database.tenant(tenant_id) as connection:
            return await store.list_imports(connection, tenant_id, tree, before or _NEWEST, limit)

    async def default_region(self, tenant_id: str) -> str:
        """The tenant's default region; empty for none."""
        async with self._database.tenant(tenant_id) as connection:
            return await store.default_region(connection, tenant_id)

    async def watch(self, tenant_id: str, import_id: str, after_revision: int) -> AsyncIterator[ImportJob]:
        """The import after each change, until it has ended. Raises NotFound."""
        while True:
            async with self._database.tenant(tenant_id) as connection:
                # The state first: an import that ends between the two reads still shows its last change.
                state = await store.find_state(connection, tenant_id, import_id)
                revision = await store.find_revision(connection, tenant_id, import_id)
                if revision is None:
                    raise NotFound("import")
                job = await self._find(connection, tenant_id, import_id) if revision > after_revision else None
                ended = job is None and state is not State.OPEN
            if job is not None:
                after_revision = job.revision
                yield job
                ended = job.state is not State.OPEN
            if ended:
                return
            await asyncio.sleep(self._options.poll_s)

    async def cancel(self, tenant_id: str, import_id: str) -> ImportJob:
        """End an open import. A cancelled one stays cancelled. Raises NotFound, FailedPrecondition."""
        async with self._database.tenant(tenant_id) as connection:
            ended = await store.end_import(connection, tenant_id, import_id, State.CANCELLED)
            if ended:
                await audit.record(connection, tenant_id, "imports.cancel", resource=import_id)
                await hold_caller(connection, current_caller())
            job = await self._find(connection, tenant_id, import_id)
            if not ended and job.state is not State.CANCELLED:
                raise import_not_open(job.state)
            return job

    async def list_rejects(
        self, tenant_id: str, import_id: str, after: tuple[int, int], *, reason: int, limit: int
    ) -> list[RejectedRow]:
        """A page of rejected rows after `after` (part, byte offset). Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            if await store.find_revision(connection, tenant_id, import_id) is None:
                raise NotFound("import")
            return await reject_store.page(connection, tenant_id, import_id, after, reason=reason, limit=limit)

    async def list_duplicates(
        self, tenant_id: str, import_id: str, after: tuple[int, int], limit: int
    ) -> list[DuplicateRow]:
        """A page of duplicate rows after `after` (part, byte offset). Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            if await store.find_revision(connection, tenant_id, import_id) is None:
                raise NotFound("import")
            return await duplicate_store.page(connection, tenant_id, import_id, after, limit)

    async def list_changes(
        self, tenant_id: str, import_id: str, after: str, limit: int
    ) -> tuple[list[Changed], ExistingPolicy]:
        """A page of changed contacts after the number `after`, and the policy of their merge. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            job = await self._find(connection, tenant_id, import_id)
            return await change_store.page(connection, tenant_id, import_id, after, limit), job.spec.existing_policy

    async def _find(self, connection: Connection, tenant_id: str, import_id: str) -> ImportJob:
        job = await store.find_import(connection, tenant_id, import_id)
        if job is None:
            raise NotFound("import")
        return job

    async def _repeated(
        self, connection: Connection, tenant_id: str, made: tuple[str, bytes], fingerprint: bytes
    ) -> ImportJob:
        import_id, request_hash = made
        if request_hash != fingerprint:
            raise AlreadyExists(Reason.REQUEST_ID_REUSED, "the request id was used for another import: use a new one")
        return await self._find(connection, tenant_id, import_id)
