"""Imports through crashes: whichever process is killed, each row counts once."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client, ClientConfig, UploadProgress
from bossjy_server.demo.expected import Expected, expect, imported
from tests.e2e.conftest import ROOT, MakeServer, ServerProcess, Tenant, caller_environment, register

pytestmark = pytest.mark.timeout(600)

ROWS = 25_000
SPEC = import_pb2.ImportSpec(default_region="CN")
# Small steps, so that a kill can hit the middle.
CONFIG = ClientConfig(chunk_bytes=32 * 1024, window_bytes=256 * 1024, upload_attempts=200)


@dataclass(frozen=True)
class List:
    """A list of contacts with dirty rows, and the expected result."""

    path: Path
    expected: Expected


@pytest.fixture(scope="module")
def contacts(tmp_path_factory: pytest.TempPathFactory) -> List:
    path = tmp_path_factory.mktemp("list") / "contacts.csv"
    maker = [sys.executable, str(ROOT / "deploy/demo/make_contacts.py")]
    subprocess.run([*maker, "--rows", str(ROWS), "--seed", "5", "--output", str(path)], check=True, timeout=60)
    return List(path, expect(path))


@pytest.fixture
async def client(shared_server: ServerProcess, tenant: Tenant) -> AsyncIterator[Client]:
    async with await Client.connect(shared_server.target, token=tenant.token, config=CONFIG) as connected:
        yield connected


class Watch:
    """The upload's own report."""

    def __init__(self) -> None:
        self.last: UploadProgress | None = None
        self.first_rows = asyncio.Event()

    def __call__(self, progress: UploadProgress) -> None:
        self.last = progress
        if progress.counts.rows_in:
            self.first_rows.set()


async def assert_exact(client: Client, job: import_pb2.Import, contacts: List) -> None:
    assert contacts.expected.counts.rows_in == ROWS
    assert contacts.expected.differences(job, await imported(client, job)) == []


async def test_server_killed_and_started_again(make_server: MakeServer, contacts: List) -> None:
    """On embedded servers: PostgreSQL and Redis stop and start with the server."""
    server = make_server(BOSSJY_LOG_CONSOLE="off")
    await asyncio.to_thread(server.start)
    tenant = register(server.target, (server.data_dir / "registration_token").read_text().strip())
    watch = Watch()
    async with await Client.connect(server.target, token=tenant.token, config=CONFIG) as client:
        uploading = asyncio.ensure_future(
            client.imports.upload_file(contacts.path, SPEC, request_id="r1", on_progress=watch)
        )
        await watch.first_rows.wait()
        server.kill()
        assert not uploading.done()
        await asyncio.to_thread(server.start)
        job = await asyncio.wait_for(uploading, 120)
        assert watch.last is not None
        assert watch.last.reopened >= 1
        await assert_exact(client, job, contacts)


async def test_server_drained_and_started_again(server_process: ServerProcess, contacts: List) -> None:
    """SIGTERM in the middle: the server ends with 0, and the upload continues with the next one."""
    tenant = register(server_process.target)
    watch = Watch()
    async with await Client.connect(server_process.target, token=tenant.token, config=CONFIG) as client:
        uploading = asyncio.ensure_future(client.imports.upload_file(contacts.path, SPEC, on_progress=watch))
        await watch.first_rows.wait()
        assert await asyncio.to_thread(server_process.terminate) == 0
        assert "Traceback" not in server_process.text()
        assert not uploading.done()
        await asyncio.to_thread(server_process.start)
        await assert_exact(client, await asyncio.wait_for(uploading, 120), contacts)


def tool(folder: Path, tenant: Tenant, target: str, *arguments: str) -> subprocess.Popen[str]:
    environment = caller_environment(folder) | {"BOSSJY_TOKEN": tenant.token, "BOSSJY_TARGET": target}
    command = [sys.executable, "-m", "bossjy_client", *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_tool_ended_and_run_again(
    shared_server: ServerProcess, tenant: Tenant, client: Client, tmp_path: Path, number: signal.Signals
) -> None:
    """The same command, run again, continues the same import."""
    path = tmp_path / "large.csv"
    body = "".join(f"+86138{n:08d},name {n}\n" for n in range(160_000))
    path.write_text("phone,name\n" + body)
    arguments = ("import", str(path), "--json")
    first = tool(tmp_path, tenant, shared_server.target, *arguments)
    deadline = time.monotonic() + 60
    while not (jobs := [job async for job in client.imports.list()]) or not jobs[0].counts.rows_in:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    first.send_signal(number)
    output, _ = await asyncio.to_thread(first.communicate, timeout=30)
    assert first.returncode == {signal.SIGKILL: -9}.get(number, 130)
    assert output == ""
    (cut,) = [job async for job in client.imports.list()]
    assert 0 < cut.counts.rows_in < 160_000

    second = tool(tmp_path, tenant, shared_server.target, *arguments)
    output, errors = await asyncio.to_thread(second.communicate, timeout=120)
    assert second.returncode == 0, errors
    job = json.loads(output)
    assert job["import_id"] == cut.import_id
    assert job["state"] == "IMPORT_STATE_SUCCEEDED"
    counts = {name: int(value) for name, value in job["counts"].items()}
    assert counts == {
        "rows_in": 160_000,
        "inserted": 160_000,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 0,
        "rejected": 0,
    }
    assert await client.contacts.count() == 160_000


async def test_tool_again_after_the_end_is_a_new_import(
    shared_server: ServerProcess, tenant: Tenant, client: Client, contacts: List, tmp_path: Path
) -> None:
    jobs = []
    for _ in range(2):
        run = tool(tmp_path, tenant, shared_server.target, "import", str(contacts.path), "--region", "cn", "--json")
        output, errors = await asyncio.to_thread(run.communicate, timeout=60)
        assert run.returncode == 6, errors  # complete, with rejects
        jobs.append(json.loads(output))
    await assert_exact(client, await client.imports.get(jobs[0]["import_id"]), contacts)
    wanted = contacts.expected.counts
    assert jobs[0]["import_id"] != jobs[1]["import_id"]
    assert int(jobs[1]["counts"]["unchanged"]) == wanted.inserted
    assert int(jobs[1]["counts"]["inserted"]) == 0
    assert int(jobs[1]["counts"]["rejected"]) == wanted.rejected


async def test_pipe(client: Client, contacts: List) -> None:
    with contacts.path.open("rb") as stream:
        job = await client.imports.upload_file(stream, SPEC)
    await assert_exact(client, job, contacts)
