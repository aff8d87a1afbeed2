"""Fixtures: the server as a process of its own, started as an operator starts it, and a tenant to call it with."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy_server.storage.process import free_port

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "owner@example.com", "umbrella over the quiet harbour 7"
START_S = 40.0


@dataclass
class ServerProcess:
    """`bossjy-server COMMAND` as a process. Its output goes to a file, so that no full pipe can stop it."""

    environment: dict[str, str]
    output: Path
    command: tuple[str, ...] = ("serve",)
    process: subprocess.Popen[bytes] = field(init=False)

    def launch(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bossjy_server.cli", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
                cwd=ROOT,
            )

    def start(self) -> None:
        """Launch and wait until it serves."""
        self.launch()
        deadline = time.monotonic() + START_S
        with grpc.insecure_channel(self.target) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)  # the stubs name no method
            while True:
                with contextlib.suppress(grpc.RpcError):
                    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1, wait_for_ready=True)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                assert self.process.poll() is None, f"it ended:\n{self.text()}"
                assert time.monotonic() < deadline, f"it does not serve:\n{self.text()}"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.environment['BOSSJY_PORT']}"

    @property
    def data_dir(self) -> Path:
        return Path(self.environment["BOSSJY_DATA_DIR"])

    def text(self) -> str:
        return self.output.read_text("utf-8", errors="replace") if self.output.exists() else ""

    def terminate(self, wait_s: float = 30.0) -> int:
        """SIGTERM, as an orchestrator sends it; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(wait_s)

    def kill(self) -> None:
        """SIGKILL: no line of ours runs after it."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        if self.process.poll() is None:
            self.kill()


MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Make server processes, each on free ports and with a data folder below the test's; all end with the test."""
    made: list[ServerProcess] = []

    def make(*command: str, data: str = "data", **settings: str) -> ServerProcess:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")}
        environment |= {
            "BOSSJY_DATA_DIR": str(tmp_path / data),
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_DRAIN_S": "5",
            **settings,
        }
        one = ServerProcess(environment, tmp_path / f"server{len(made)}.log", command or ("serve",))
        made.append(one)
        return one

    yield make
    for one in made:
        if hasattr(one, "process"):
            one.end()


@pytest.fixture
def server_process(make_server: MakeServer, database_url: str, redis_url: str) -> ServerProcess:
    """A running server on this test run's PostgreSQL and Redis, with reflection, open for registration."""
    server = make_server(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        BOSSJY_REFLECTION="on",
        BOSSJY_REGISTRATION="open",
        BOSSJY_DATABASE_POOL="8",
    )
    server.start()
    return server


@dataclass(frozen=True)
class Tenant:
    """A tenant and its owner's credentials."""

    tenant_id: str
    token: str


def register(target: str, registration_token: str = "") -> Tenant:
    """Make a tenant."""
    with grpc.insecure_channel(target) as channel:
        request = auth_service_pb2.RegisterRequest(
            tenant_display_name="Test", email=EMAIL, password=PASSWORD, registration_token=registration_token
        )
        answer = auth_service_pb2_grpc.AuthServiceStub(channel).Register(request, timeout=20)
    return Tenant(answer.tenant.tenant_id, answer.tokens.access_token)


@pytest.fixture
def tenant(server_process: ServerProcess) -> Tenant:
    """A tenant of `server_process`."""
    return register(server_process.target)


def program(name: str) -> str:
    """A program of this environment, as `make test` installs it."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is missing: `make install` brings it"
    return found
