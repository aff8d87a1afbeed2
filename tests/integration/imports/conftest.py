from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import google_crc32c
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_numbering import Plan, load_plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.context import CallContext, Caller, enter_call
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.servicer import ImportServicer
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database

TENANT = "acme-1"


def mac(purpose: str, *parts: bytes) -> bytes:
    """A hash as the service's keys make it, under a key of the tests."""
    return hmac.digest(b"k" * 32, purpose.encode() + b"\0".join(parts), "sha256")


@pytest.fixture(scope="session")
def plan() -> Plan:
    # Built once for the checkout; tables of another version are never read.
    return load_plan(Path(__file__).parents[3] / "build" / "plan")


def _load_enrichment() -> Enrichment:
    return load_enrichment(Path(__file__).parents[3] / "build" / "plan")


def enter_tenant(tenant_id: str) -> None:
    """Call as an owner of the tenant from here on."""
    caller = Caller(tenant_id, "usr_1", frozenset(), "owner", session_id="ses_1")
    enter_call(CallContext(request_id="test", method="/test", caller=caller))


async def make_tenant(database: Database, tenant_id: str, region: str = "CN") -> None:
    async with database.tenant(tenant_id) as connection:
        await connection.execute(
            "INSERT INTO bossjy.tenants (tenant_id, display_name, default_region) VALUES ($1, 'Test', $2)",
            tenant_id,
            region,
        )
        await connection.execute(
            "INSERT INTO bossjy.users (tenant_id, user_id, email, email_key, password_hash, role) "
            "VALUES ($1, 'usr_1', 'a@b.c', 'a@b.c', '-', 'owner')",
            tenant_id,
        )
        await connection.execute(
            "INSERT INTO bossjy.sessions "
            "(tenant_id, session_id, user_id, refresh_seed, refresh_expire_time, expire_time) "
            "VALUES ($1, 'ses_1', 'usr_1', '-', now() + interval '1 day', now() + interval '1 day')",
            tenant_id,
        )


@dataclass
class Imports:
    """The import service on a fresh database, called as a tenant."""

    database: Database
    servicer: ImportServicer
    contacts: ContactServicer
    draining: asyncio.Event
    options: ImportOptions

    async def create(self, request_id: str = "", *, validate_only: bool = False, **spec: object) -> import_pb2.Import:
        message = import_pb2.ImportSpec(**spec)  # type: ignore[arg-type]
        request = pb.CreateImportRequest(request_id=request_id, spec=message, validate_only=validate_only)
        return (await self.servicer.CreateImport(request)).import_job

    async def upload(
        self, import_id: str, data: bytes, *, part: int = 0, chunk: int = 64 * 1024
    ) -> list[pb.UploadResponse]:
        """Upload a whole part, like a client that trusts its window. Returns the answers."""
        return [answer async for answer in self.servicer.Upload(requests(import_id, data, part=part, chunk=chunk))]

    async def run(self, data: bytes, *, chunk: int = 64 * 1024, **spec: object) -> import_pb2.Import:
        """Create, upload, and return the import from `finished`."""
        job = await self.create(**spec)  # type: ignore[arg-type]
        answers = await self.upload(job.import_id, data, chunk=chunk)
        return answers[-1].finished.import_job

    async def rejects(self, import_id: str) -> list[import_pb2.RejectedRow]:
        request = pb.ListRejectedRowsRequest(import_id=import_id, page_size=1000)
        return list((await self.servicer.ListRejectedRows(request)).rows)

    async def rows(self) -> list[tuple[object, ...]]:
        """All contacts in the table, by number."""
        async with self.database.tenant(TENANT) as connection:
            found = await connection.fetch(
                "SELECT e164, name, email, attributes::text, other_numbers FROM bossjy.contacts ORDER BY e164"
            )
        return [tuple(row) for row in found]


async def requests(
    import_id: str, data: bytes, *, part: int = 0, chunk: int = 64 * 1024, start: int = 0
) -> AsyncIterator[pb.UploadRequest]:
    yield pb.UploadRequest(open=pb.UploadOpen(import_id=import_id, part=part))
    for offset in range(start, len(data), chunk):
        yield pb.UploadRequest(chunk=chunk_of(data, offset, offset + chunk))
    finish = pb.UploadFinish(size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    yield pb.UploadRequest(finish=finish)


def chunk_of(data: bytes, start: int, end: int) -> pb.UploadChunk:
    piece = data[start:end]
    return pb.UploadChunk(offset=start, data=piece, crc32c=google_crc32c.value(piece))


@pytest.fixture
async def make_imports(database: Database, plan: Plan) -> AsyncIterator[Callable[..., Imports]]:
    """A service with its own options."""
    await make_tenant(database, TENANT)
    enter_tenant(TENANT)
    servicers: list[ImportServicer] = []

    def make(**options: object) -> Imports:
        chosen = replace(ImportOptions(), **options)  # type: ignore[arg-type]
        draining = asyncio.Event()
        servicers.append(
            ImportServicer(database, plan, draining, chosen, pages=Pages(mac), load_enrichment=_load_enrichment)
        )
        return Imports(database, servicers[-1], ContactServicer(database, plan, mac), draining, chosen)

    yield make
    for servicer in servicers:
        await servicer.close()


@pytest.fixture
def imports(make_imports: Callable[..., Imports]) -> Imports:
    return make_imports()


def demo_file() -> bytes:
    return (Path(__file__).parents[3] / "deploy" / "demo" / "contacts.csv").read_bytes()
