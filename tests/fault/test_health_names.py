"""Health over gRPC and HTTP while PostgreSQL is gone: probes of the process do not depend on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.e2e.conftest import ServerProcess
from tests.performance.faults.calls import Caller
from tests.performance.faults.parts import Stage

pytestmark = pytest.mark.timeout(600)

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
WITHOUT_POSTGRESQL = ("", "liveness", "bossjy.phone.v1.PhoneService", "redis")
WITH_POSTGRESQL = ("readiness", "postgresql", "bossjy.auth.v1.AuthService", "bossjy.contacts.v1.ContactService")
NOTICED_S = 60.0


def pages(server: ServerProcess) -> dict[str, int]:
    """The status of each page of the operations port."""
    found = {}
    for page in ("metrics", "livez", "readyz", "no-such-page"):
        url = f"http://127.0.0.1:{server.environment['BOSSJY_METRICS_PORT']}/{page}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                found[page] = answer.status
        except urllib.error.HTTPError as error:
            found[page] = error.code
    return found


async def until_states(server: ServerProcess, wanted: Mapping[str, int]) -> None:
    """Wait until the names have these states."""
    began = time.monotonic()
    async with grpc.aio.insecure_channel(server.target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        while True:
            checks = {name: await stub.Check(health_pb2.HealthCheckRequest(service=name)) for name in wanted}
            found = {name: answer.status for name, answer in checks.items()}
            if found == wanted:
                return
            assert time.monotonic() - began < NOTICED_S, found
            await asyncio.sleep(0.1)


async def test_names_and_pages_without_postgresql(
    caller: Caller, parts_to_break: Stage, broken_server: ServerProcess
) -> None:
    everything = dict.fromkeys((*WITHOUT_POSTGRESQL, *WITH_POSTGRESQL), SERVING)
    await until_states(broken_server, everything)
    sound = {"metrics": 200, "livez": 200, "readyz": 200, "no-such-page": 404}
    assert await asyncio.to_thread(pages, broken_server) == sound
    await asyncio.to_thread(parts_to_break.postgres.stop)
    try:
        await until_states(broken_server, everything | dict.fromkeys(WITH_POSTGRESQL, NOT_SERVING))
        assert await asyncio.to_thread(pages, broken_server) == sound | {"readyz": 503}
        command = [sys.executable, "-m", "bossjy_server.cli", "doctor"]
        done = await asyncio.to_thread(
            subprocess.run, command, env=broken_server.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "PostgreSQL cannot be reached" in done.stdout
        assert "a server runs: not ready" in done.stdout
    finally:
        await asyncio.to_thread(parts_to_break.postgres.start)
    await until_states(broken_server, everything)
