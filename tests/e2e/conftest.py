"""Fixtures: the server as a separate process, started like an operator starts it, and a tenant to call it with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bossjy.auth.v1 import account_pb2, auth_service_pb2, auth_service_pb2_grpc
from bossjy_server.embedded.servers import EmbeddedParts
from tests.front import front_settings
from tests.parts import fresh_database, service_url
from tests.ports import free_port
from tests.service import data_folder

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "owner@example.com", "umbrella over the quiet harbour 7"
START_S = 120.0  # some four seconds of work, on a machine that may be busy


@dataclass
class ServerProcess:
    """`bossjy-server COMMAND` as a process. Its output goes to a file, so that no full pipe can stop it."""

    environment: dict[str, str]
    output: Path
    command: tuple[str, ...] = ("serve",)
    process: subprocess.Popen[bytes] | None = None
    module: str = "bossjy_server.cli"

    def launch(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
                cwd=ROOT,
            )

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def wait(self, wait_s: float) -> int:
        """Wait for its end. Returns the exit code."""
        assert self.process is not None
        return self.process.wait(wait_s)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def start(self) -> None:
        """Launch and wait until it serves."""
        self.launch()
        deadline = time.monotonic() + START_S
        # Without this, a start of five seconds is noticed after sixteen: gRPC waits longer with each attempt.
        with grpc.insecure_channel(self.target, [("grpc.max_reconnect_backoff_ms", 300)]) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)  # the stubs name no method
            while True:
                with contextlib.suppress(grpc.RpcError):
                    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1, wait_for_ready=True)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                assert not self.ended, f"it ended:\n{self.text()}"
                assert time.monotonic() < deadline, f"it does not serve:\n{self.text()}"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.environment['BOSSJY_PORT']}"

    @property
    def data_dir(self) -> Path:
        return Path(self.environment["BOSSJY_DATA_DIR"])

    def text(self) -> str:
        return self.output.read_text("utf-8", errors="replace")

    def terminate(self, wait_s: float = 60.0) -> int:
        """Send SIGTERM, as an orchestrator does. Returns the exit code."""
        self.send(signal.SIGTERM)
        return self.wait(wait_s)

    def kill(self) -> None:
        """SIGKILL: no line of the server's code runs after it."""
        self.send(signal.SIGKILL)
        self.wait(60)

    def end(self) -> None:
        if not self.ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.terminate()
        if not self.ended:
            self.kill()


MakeServer = Callable[..., ServerProcess]


def made_server(folder: Path, *command: str, **settings: str) -> ServerProcess:
    """A server process that is not launched yet, on free ports, with a data folder below `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")}
    environment |= {
        "BOSSJY_DATA_DIR": str(data_folder(folder)),
        "BOSSJY_PORT": str(free_port()),
        "BOSSJY_METRICS_PORT": "0",
        "BOSSJY_DRAIN_S": "5",
        "BOSSJY_WARM_UP_S": "0",
        **front_settings(),
        **settings,
    }
    number = len(list(folder.glob("server*.log")))
    output = folder / f"server{number}.log"
    output.touch()
    return ServerProcess(environment, output, command or ("serve",))


def on_parts(database_url: str, redis_url: str) -> dict[str, str]:
    """Settings of a server on this test run's PostgreSQL and Redis, with reflection, open for registration."""
    return {
        "DATABASE_URL": service_url(database_url),
        "DATABASE_ADMIN_URL": database_url,
        "REDIS_URL": redis_url,
        "BOSSJY_REFLECTION": "on",
        "BOSSJY_REGISTRATION": "open",
        "BOSSJY_CALLS_PER_MINUTE_PER_TENANT": "0",
        "BOSSJY_DATABASE_POOL": "8",
    }


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Make server processes; all of them end with the test."""
    made: list[ServerProcess] = []

    def make(*command: str, **settings: str) -> ServerProcess:
        made.append(made_server(tmp_path, *command, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def server_process(make_server: MakeServer, database_url: str, redis_url: str) -> ServerProcess:
    """A running server for one test, which may end it."""
    server = make_server(**on_parts(database_url, redis_url))
    server.start()
    return server


@pytest.fixture(scope="session")
def shared_server(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server for all tests of a process; a test creates its own tenant."""
    with asyncio.Runner() as runner:
        databases = fresh_database(parts.database_url)
        url = runner.run(_next(databases))
        assert url is not None
        server = made_server(tmp_path_factory.mktemp("shared"), **on_parts(url, parts.redis_url))
        try:
            server.start()
            yield server
        finally:
            server.end()
            runner.run(_next(databases))


async def _next(values: AsyncIterator[str]) -> str | None:
    return await anext(values, None)


@dataclass(frozen=True)
class Tenant:
    """A tenant and its owner's credentials."""

    tenant_id: str
    tokens: account_pb2.Tokens

    @property
    def token(self) -> str:
        return self.tokens.access_token


def register(target: str, registration_token: str = "") -> Tenant:
    """Create a tenant."""
    with grpc.insecure_channel(target) as channel:
        request = auth_service_pb2.RegisterRequest(
            tenant_display_name="Test", email=EMAIL, password=PASSWORD, registration_token=registration_token
        )
        answer = auth_service_pb2_grpc.AuthServiceStub(channel).Register(request, timeout=20)
    return Tenant(answer.tenant.tenant_id, answer.tokens)


@pytest.fixture
def tenant(shared_server: ServerProcess) -> Tenant:
    """A tenant of `shared_server` for one test."""
    return register(shared_server.target)


def caller_environment(folder: Path) -> dict[str, str]:
    """The environment of a user of the tool, with files below `folder`."""
    own = ("BOSSJY_", "LANG", "LC_")  # LANG and LANGUAGE: the tool speaks the language of the developer
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return environment | {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "COLUMNS": "120",
    }


def program(name: str) -> str:
    """A program of this environment, as `make test` installs it."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is missing: run `make install`"
    return found
