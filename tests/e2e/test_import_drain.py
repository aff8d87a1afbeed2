"""Two replicas on one database: when one is stopped, its uploads continue at the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client, ClientConfig, UploadProgress
from tests.e2e.conftest import MakeServer, on_parts, register

ROWS = 25_000


@pytest.mark.timeout(300)
async def test_an_upload_continues_at_another_replica(
    make_server: MakeServer, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    servers = [make_server(**on_parts(database_url, redis_url)) for _ in range(2)]
    for server in servers:
        await asyncio.to_thread(server.start)
    tenant = register(servers[0].target)
    path = tmp_path / "contacts.csv"
    path.write_text("phone,name\n" + "".join(f"+86138{n:08d},name {n}\n" for n in range(ROWS)))
    told: list[UploadProgress] = []
    # A load balancer in the client: the first address that answers.
    target = "ipv4:" + ",".join(server.target for server in servers)
    config = ClientConfig(chunk_bytes=16 * 1024, window_bytes=64 * 1024, upload_attempts=200, plaintext=True)
    async with await Client.connect(target, token=tenant.token, config=config) as client:
        uploading = asyncio.ensure_future(
            client.imports.upload_file(path, import_pb2.ImportSpec(), on_progress=told.append)
        )
        while not (told and told[-1].counts.rows_in):
            assert not uploading.done()
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(servers[0].terminate) == 0
        assert not uploading.done()
        before = told[-1].counts.rows_in
        job = await asyncio.wait_for(uploading, 120)
        # The other replica had its share, and no row was sent twice into the table.
        assert 0 < before < ROWS
        assert job.counts == import_pb2.ImportCounts(rows_in=ROWS, inserted=ROWS)
        assert await client.contacts.count() == ROWS
    assert "Traceback" not in servers[0].text()
