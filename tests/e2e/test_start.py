"""Start and stop of the server by an operator."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import grpc.aio
import pytest

from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import MakeServer, ServerProcess, on_parts, register

pytestmark = pytest.mark.timeout(600)


def refusal(server: ServerProcess) -> str:
    """Start a server that must fail. Returns its single line."""
    server.launch()
    assert server.wait(120) == 2
    lines = server.text().strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BOSSJY_PORT", "eighty", "a whole number from 1 to 65535"),
        ("BOSSJY_DRAIN_S", "-1", "a number from 0"),
        ("DATABASE_URL", "mysql://user:secret@host/db", "postgresql://"),
        ("BOSSJY_PROT", "18001", "is no setting"),
    ],
)
def test_wrong_setting(make_server: MakeServer, name: str, value: str, told: str) -> None:
    line = refusal(make_server(**{name: value}))
    assert name in line
    assert told in line
    assert "secret" not in line


@pytest.mark.parametrize("program", [["bossjy_server.cli"], ["bossjy_client"]], ids=["server", "tool"])
def test_version(program: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *program, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"bossjy(-server)? \d+\.\d+\.\d+\n", done.stdout)


def test_health_by_a_command_and_sighup(make_server: MakeServer, database_url: str, redis_url: str) -> None:
    ports = {"BOSSJY_METRICS_PORT": str(free_port())}
    server = make_server(**on_parts(database_url, redis_url), **ports)
    assert health(server) == (1, "")
    server.start()
    assert health(server) == (0, "ready\n")
    assert health(server, "--live") == (0, "alive\n")
    server.send(signal.SIGHUP)
    ends = time.monotonic() + 60
    while "signing keys were read again" not in server.text():
        assert not server.ended
        assert time.monotonic() < ends, server.text()
        time.sleep(0.1)
    assert health(server) == (0, "ready\n")
    # Debug lines appear without a restart, and go again.
    for level in ("debug", "info"):
        server.send(signal.SIGUSR1)
        while f'"event":"log level changed","to":"{level}"' not in server.text():
            assert not server.ended
            assert time.monotonic() < ends, server.text()
            time.sleep(0.1)


def test_doctor_beside_a_server(make_server: MakeServer, database_url: str, redis_url: str) -> None:
    server = make_server(**on_parts(database_url, redis_url), BOSSJY_METRICS_PORT=str(free_port()))
    server.start()
    code, lines = doctor(server)
    assert code == 0
    told = {check: fact for check, _, fact in lines}
    assert told["server"] == "a server runs and is ready"
    assert told["port"].startswith(f"a BossJy server (process {server.process.pid if server.process else 0}) listens")
    assert not [line for line in lines if line[1] == "FAIL"]
    # The table has the same lines, and an exit code too.
    server.environment["REDIS_URL"] = "redis://:quiet-secret@127.0.0.1:1"
    command = [sys.executable, "-m", "bossjy_server.cli", "doctor"]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"^FAIL  redis +127.0.0.1:1 does not answer.*\n +→ start Redis", done.stdout, re.MULTILINE)
    assert re.search(r"^\d+ OK, \d+ WARN, 1 FAIL$", done.stdout, re.MULTILINE)
    assert "quiet-secret" not in done.stdout + done.stderr
    assert done.stderr == ""


def doctor(server: ServerProcess) -> tuple[int, list[tuple[str, str, str]]]:
    """Exit code and lines of `bossjy-server doctor --json`."""
    command = [sys.executable, "-m", "bossjy_server.cli", "doctor", "--json"]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [(line["check"], line["state"], line["fact"]) for line in lines]


def health(server: ServerProcess, *words: str) -> tuple[int, str]:
    """Exit code and output of `bossjy-server health`."""
    command = [sys.executable, "-m", "bossjy_server.cli", "health", *words]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("words", ["settings", "doctor --json"])
def test_a_pipe_that_closes_early(make_server: MakeServer, words: str) -> None:
    server = make_server()
    command = f"set -o pipefail; {sys.executable} -m bossjy_server.cli {words} | head -c 1"
    done = subprocess.run(
        ["bash", "-c", command], env=server.environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert len(done.stdout) == 1
    assert done.stderr == ""


def test_unreachable_database(make_server: MakeServer, redis_url: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://user:secret@127.0.0.1:{unused.getsockname()[1]}/db"
        settings = {"BOSSJY_LOG_CONSOLE": "off", "BOSSJY_DATABASE_START_WAIT_S": "0"}
        line = refusal(make_server(DATABASE_URL=url, REDIS_URL=redis_url, **settings))
    assert "DATABASE_URL" in line
    assert "secret" not in line


def test_port_taken(make_server: MakeServer, database_url: str, redis_url: str) -> None:
    server = make_server(DATABASE_URL=database_url, REDIS_URL=redis_url, BOSSJY_LOG_CONSOLE="off")
    with socket.create_server(("127.0.0.1", int(server.environment["BOSSJY_PORT"]))):
        line = refusal(server)
    assert "another process uses the port" in line
    assert "BOSSJY_PORT" in line


def test_sigterm_ends_it_with_0(server_process: ServerProcess) -> None:
    assert server_process.terminate() == 0
    assert "Traceback" not in server_process.text()


async def test_sigterm_lets_running_calls_end(server_process: ServerProcess) -> None:
    """A stream that is open at SIGTERM gets its answers; then the server ends."""
    metadata = (("authorization", f"Bearer {register(server_process.target).token}"),)
    sent: asyncio.Queue[int | None] = asyncio.Queue()

    async def requests() -> AsyncIterator[phone_service_pb2.StreamValidateNumbersRequest]:
        while (sequence := await sent.get()) is not None:
            texts = phone_service_pb2.NumberTexts(phone_numbers=["+86 138 0000 0000"])
            yield phone_service_pb2.StreamValidateNumbersRequest(sequence=sequence, texts=texts)

    async with grpc.aio.insecure_channel(server_process.target) as channel:
        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)
        answers = stub.StreamValidateNumbers(requests(), metadata=metadata).__aiter__()
        sent.put_nowait(1)
        assert (await anext(answers)).sequence == 1
        server_process.send(signal.SIGTERM)
        await asyncio.sleep(0.5)
        sent.put_nowait(2)
        assert (await anext(answers)).sequence == 2
        sent.put_nowait(None)
        assert [answer async for answer in answers] == []
    assert await asyncio.to_thread(server_process.wait, 60) == 0
