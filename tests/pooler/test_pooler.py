"""PgBouncer in transaction mode: the service works, and no tenant sees another's rows on a shared connection."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy_server.storage.roles import database_of, login_of, role_for
from tests.e2e.conftest import EMAIL, PASSWORD, made_server, on_parts
from tests.performance.imports.upload_program import UploadPlan, upload
from tests.pooler.conftest import CONNECTIONS, Pooled

TENANTS, ROWS = 6, 200


@dataclass(frozen=True)
class Owner:
    """A tenant with contacts whose names contain its id."""

    target: str
    channel: grpc.aio.Channel
    tenant_id: str
    token: str

    async def import_rows(self, folder: Path, suffix: str) -> None:
        """The same numbers in each tenant."""
        path = folder / f"{self.tenant_id}{suffix}.csv"
        lines = [f"+12025550{number:03d},{self.tenant_id}{suffix}" for number in range(ROWS)]
        await asyncio.to_thread(path.write_text, "\n".join(["phone,name", *lines, ""]))
        spec = import_pb2.ImportSpec(default_region="US")
        runs = [(0, path.stat().st_size)]
        await upload(UploadPlan(self.target, self.token, str(uuid.uuid4()), path, runs, spec))

    async def names(self) -> set[str]:
        """The names of all contacts."""
        stub = contact_service_pb2_grpc.ContactServiceStub(self.channel)
        request = contact_service_pb2.ListContactsRequest(page_size=ROWS)
        answer = await stub.ListContacts(request, metadata=(("authorization", f"Bearer {self.token}"),), timeout=30)
        return {contact.name for contact in answer.contacts}


async def test_tenants_on_shared_connections(pooled: Pooled, tmp_path: Path) -> None:
    async with grpc.aio.insecure_channel(pooled.server.target) as channel:
        owners = await asyncio.gather(*(_owner(pooled.server.target, channel) for _ in range(TENANTS)))
        for suffix in (" first", " second"):  # the second import changes all contacts of the first
            await asyncio.gather(*(owner.import_rows(tmp_path, suffix) for owner in owners))
            asked = owners * 10
            for owner, names in zip(asked, await asyncio.gather(*(one.names() for one in asked)), strict=True):
                assert names == {owner.tenant_id + suffix}
    direct = await asyncpg.connect(pooled.owner_url)
    try:
        assert await direct.fetchval("SELECT count(*) FROM bossjy.contacts") == TENANTS * ROWS
        login = login_of(pooled.pooler_url)
        used = await direct.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", login)
        assert 1 <= used <= CONNECTIONS
    finally:
        await direct.close()


async def test_nothing_stays_on_a_connection(pooled: Pooled) -> None:
    """Neither a tenant nor a role nor a time limit, on any connection that transactions of tenants have used."""
    async with grpc.aio.insecure_channel(pooled.server.target) as channel:
        owner = await _owner(pooled.server.target, channel)
        await asyncio.gather(*(owner.names() for _ in range(30)))
    clients = [await asyncpg.connect(pooled.pooler_url, statement_cache_size=0) for _ in range(CONNECTIONS)]
    role = role_for(database_of(pooled.pooler_url))
    seen = set()
    try:
        for client in clients:  # open transactions: each has a connection of its own
            await client.execute("BEGIN")
            row = await client.fetchrow(
                "SELECT pg_backend_pid() AS pid, current_user = session_user AS own, "
                "current_setting('statement_timeout') AS limited, "
                "coalesce(current_setting('bossjy.tenant_id', true), '') AS tenant"
            )
            assert row is not None
            assert (row["own"], row["limited"], row["tenant"]) == (True, "0", "")
            await client.execute(f'SET LOCAL ROLE "{role}"')
            assert await client.fetchval("SELECT count(*) FROM bossjy.contacts") == 0
            seen.add(row["pid"])
        assert len(seen) == CONNECTIONS
    finally:
        for client in clients:
            await client.execute("ROLLBACK")
            await client.close()


async def test_a_login_and_a_refused_password(pooled: Pooled) -> None:
    async with grpc.aio.insecure_channel(pooled.server.target) as channel:
        owner = await _owner(pooled.server.target, channel)
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        request = auth_service_pb2.LoginRequest(tenant_id=owner.tenant_id, email=EMAIL, password=PASSWORD)
        assert (await stub.Login(request, timeout=30)).tokens.access_token
        request.password = "another password of nobody"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Login(request, timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_start_names_the_setting(pooled: Pooled, tmp_path: Path) -> None:
    """Without the setting, PgBouncer refuses the connection, and the line says what to set."""
    settings = on_parts(pooled.owner_url, "") | {"DATABASE_URL": pooled.pooler_url}
    settings["REDIS_URL"] = pooled.server.environment["REDIS_URL"]
    server = made_server(tmp_path, **settings)
    server.launch()
    try:
        assert await asyncio.to_thread(server.wait, 60) != 0
        assert "BOSSJY_DATABASE_STATEMENT_CACHE" in server.text()
    finally:
        server.end()


async def _owner(target: str, channel: grpc.aio.Channel) -> Owner:
    stub = auth_service_pb2_grpc.AuthServiceStub(channel)
    request = auth_service_pb2.RegisterRequest(tenant_display_name="Test", email=EMAIL, password=PASSWORD)
    answer = await stub.Register(request, timeout=60)
    return Owner(target, channel, answer.tenant.tenant_id, answer.tokens.access_token)
