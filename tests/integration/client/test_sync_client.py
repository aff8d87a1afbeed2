"""SyncClient on the real service: scripts, threads, a running loop, forks, streams, and the end of the program."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import pytest_asyncio

from bossjy_client import (
    BossjyError,
    InvalidRequestError,
    SyncClient,
    UnauthenticatedError,
    UnavailableError,
    UploadProgress,
)
from tests.service import EMAIL, PASSWORD, Service

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def address(tenant: Service) -> tuple[str, str]:
    return tenant.address, tenant.token


def in_thread(run: Any) -> Any:
    """Run a synchronous test in a thread: the service answers in the test's loop."""

    async def wrapped(address: tuple[str, str]) -> None:
        await asyncio.to_thread(run, *address)

    wrapped.__name__ = run.__name__
    return wrapped


@in_thread
def test_methods_iterators_and_streams(target: str, token: str) -> None:
    with SyncClient.connect(target, token=token) as client:
        assert client.target == target
        assert client.token() == token
        assert client.phone.validate("138 0014 4001", "CN", timeout=20).e164 == "+8613800144001"
        assert [one.valid for one in client.phone.validate_many(["138 0014 4001", "x"] * 3, "CN")] == [True, False] * 3
        batches = ([f"1380014{number:04d}" for number in range(start, start + 50)] for start in range(0, 500, 50))
        answers = list(client.phone.validate_stream(batches, "CN", columns=["e164"]))
        assert [answer.columns.e164[0] for _, answer in answers] == [f"+861380014{n:04d}" for n in range(0, 500, 50)]
        assert [len(texts) for texts, _ in client.phone.validate_stream([["1"], ["2", "3"]])] == [1, 2]
        assert client.phone.validate_column(["138 0014 4001"], "CN")["e164"] == ["+8613800144001"]


@in_thread
def test_an_import_and_its_contacts(target: str, token: str) -> None:
    seen: list[UploadProgress] = []
    rows = "phone\n" + "".join(f"+86138001{number:05d}\n" for number in range(3000))
    with SyncClient.connect(target, token=token) as client:
        job = client.imports.upload_file(rows.encode(), on_progress=seen.append)
        assert job.counts.inserted == 3000
        assert seen
        listed = [one.phone_number for one in client.contacts.list(page_size=500)]
        assert listed == sorted(listed)
        assert len(listed) == client.contacts.count() == 3000
        some = client.contacts.list(page_size=100)
        assert next(some).phone_number == listed[0]
        assert b"".join(piece.data for piece in client.contacts.export()).count(b"\n") == 3001


@in_thread
def test_a_login(target: str, token: str) -> None:
    with SyncClient.connect(target) as client:
        tenant = client.auth.register("Other", "second@example.com", PASSWORD).tenant.tenant_id
    with SyncClient.connect(target, tenant_id=tenant, email="second@example.com", password=PASSWORD) as client:
        assert client.auth.me().user.email == "second@example.com"
        assert client.auth.logout() == 1
    with pytest.raises(UnauthenticatedError):
        SyncClient.connect(target, tenant_id=tenant, email=EMAIL, password="another pass phrase 12")


@in_thread
def test_failures_have_their_status(target: str, token: str) -> None:
    with SyncClient.connect(target, token=token) as client:
        with pytest.raises(InvalidRequestError, match="no column of NumberColumns"):
            list(client.phone.validate_stream(iter([["1"] * 5000] * 20), columns=["e16"]))
        with pytest.raises(InvalidRequestError, match="phone_number is int"):
            client.phone.validate(5)  # type: ignore[arg-type]
    with SyncClient.connect(target, token="bk_no.key") as client:
        for _ in range(5):
            with pytest.raises(UnauthenticatedError):
                list(client.phone.validate_stream(iter([["1"] * 5000] * 20)))
    with pytest.raises(BossjyError, match="the client is closed"):
        client.phone.validate("1")
    with pytest.raises(UnavailableError, match="the connection is refused"):
        SyncClient.connect("127.0.0.1:1")
    with (
        SyncClient.connect(target, token=token) as client,
        pytest.raises(UnavailableError, match="give it a longer timeout"),
    ):
        client.phone.validate_column(["138 0014 4001"] * 1_000_000, "CN", timeout=0.05)


@in_thread
def test_many_threads_use_one_client(target: str, token: str) -> None:
    with SyncClient.connect(target, token=token) as client, ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda number: client.phone.validate(f"+861380014{number:04d}").e164, range(100))
        assert list(answers) == [f"+861380014{number:04d}" for number in range(100)]


async def test_inside_a_running_loop(address: tuple[str, str]) -> None:
    """As in a notebook: the loop of the caller runs, and the call waits in it."""

    def notebook() -> str:
        async def cell() -> str:
            with SyncClient.connect(address[0], token=address[1]) as client:
                return client.phone.validate("138 0014 4001", "CN").e164

        return asyncio.run(cell())

    assert await asyncio.to_thread(notebook) == "+8613800144001"


@in_thread
def test_a_callback_cannot_wait_for_its_client(target: str, token: str) -> None:
    found: list[str] = []

    def ask(_: UploadProgress) -> None:
        try:
            client.phone.validate("1")
        except BossjyError as error:
            found.append(str(error))

    with SyncClient.connect(target, token=token) as client:
        client.imports.upload_file(b"phone\n+8613800144001\n", on_progress=ask)
    assert set(found) == {"a callback of the client cannot wait for it: call from another thread"}


@in_thread
def test_the_thread_ends_with_the_last_client(target: str, token: str) -> None:
    def threads() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "bossjy"]

    with SyncClient.connect(target, token=token), SyncClient.connect(target, token=token):
        assert threads() == ["bossjy"]
    assert threads() == []
    dropped = SyncClient.connect(target, token=token)
    assert threads() == ["bossjy"]
    del dropped
    gc.collect()
    assert threads() == []


PROGRAM = """
import os, sys
from bossjy_client import BossjyError, SyncClient
target, token = sys.argv[1:]
def child(act):
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1]
    try:
        act()
    except BossjyError as error:
        print(error, flush=True)
    os._exit(7)
def ask():
    with SyncClient.connect(target, token=token) as made:
        print(made.phone.validate("138 0014 4001", "CN").e164, flush=True)
child(ask)
client = SyncClient.connect(target, token=token)
child(lambda: client.phone.validate("1"))
child(ask)
print(client.phone.validate("138 0014 4001", "CN").e164)
next(client.phone.regions())
"""


async def test_processes_that_fork(address: tuple[str, str]) -> None:
    """A fork before the first client works; after it, an error says so. A client that is not closed ends quietly."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *address]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == lines[3] == "+8613800144001"
    assert "connect after the fork, in each process" in lines[1]
    assert "connect only after the fork" in lines[2]
    assert "Traceback" not in done.stderr


@pytest.fixture(autouse=True)
def _no_thread_remains() -> Iterator[None]:
    yield
    assert [one.name for one in threading.enumerate() if one.name == "bossjy"] == []
