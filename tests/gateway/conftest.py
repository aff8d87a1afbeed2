"""Fixtures: two servers on one database, with Envoy and Traefik in front of them, configured as in deploy/gateway."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ROOT, ServerProcess, made_server, on_parts
from tests.integration.rpc.certificates import Authority
from tests.parts import fresh_database

CONFIGURATION = ROOT / "deploy" / "gateway"
EMAIL, PASSWORD = "owner@example.com", "umbrella over the quiet harbour 7"
UP_S = 60.0


@dataclass
class Gateway:
    """All processes, and a tenant. `target` is Traefik's address for gRPC, `url` for JSON."""

    folder: Path
    servers: list[ServerProcess]
    authority: bytes
    port: int = field(default_factory=free_port)
    envoy: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    operations: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    """Of Traefik, and below of Envoy."""
    admin: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    tenant_id: str = ""
    token: str = field(default="", repr=False)

    @property
    def target(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    def channel(self) -> grpc.aio.Channel:
        """gRPC through Traefik, over TLS."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.secure_channel(self.target, grpc.ssl_channel_credentials(self.authority), options)

    def client(self, url: str = "", **headers: str) -> httpx.AsyncClient:
        """JSON through Traefik and Envoy; with `url`, through Envoy only."""
        context = ssl.create_default_context(cafile=str(self.folder / "authority.pem"))
        shown = {"authorization": f"Bearer {self.token}"} | headers
        return httpx.AsyncClient(base_url=url or self.url, headers=shown, verify=context, timeout=60, http2=False)


def program(name: str) -> str:
    """A program of the environment. Fails if it is missing: `make test-gateway` installs it."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.fail(f"{name} is missing: run `make test-gateway`")
    return found


def adapted(file: str, replaced: dict[str, str], folder: Path) -> Path:
    """A file of deploy/gateway with other addresses and folders; each of them must occur."""
    text = (CONFIGURATION / file).read_text()
    for old, new in replaced.items():
        assert old in text, f"{file} has no {old}"
        text = text.replace(old, new)
    (folder / file).write_text(text)
    return folder / file


@contextmanager
def running(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def endpoints(ports: list[int]) -> str:
    """The lines of Envoy for several servers, in place of the one in its file."""
    line = "              - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}"
    return "\n".join(line % port for port in ports)


@pytest.fixture(scope="session")
def gateway(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    authority = Authority()
    authority.sign("localhost").write(folder)
    (folder / "authority.pem").write_bytes(authority.certificate)
    with asyncio.Runner() as runner, ExitStack() as stack:
        databases = fresh_database(parts.database_url)
        settings = on_parts(runner.run(_next(databases)), parts.redis_url) | {
            "BOSSJY_TRUSTED_PROXIES": "127.0.0.0/8",
            "BOSSJY_LOGIN_FAILURES_PER_ADDRESS": "0",
            "BOSSJY_KEY_RELOAD_S": "0.5",
            "BOSSJY_KEY_ACTIVATION_S": "4",
        }
        stack.callback(lambda: runner.run(_next(databases)))
        servers = []
        for number in range(2):
            (folder / f"server{number}").mkdir()
            port = {"BOSSJY_METRICS_PORT": str(free_port())}
            servers.append(made_server(folder / f"server{number}", **settings, **port))
        # One folder of keys: both servers sign and verify with the same.
        servers[1].environment["BOSSJY_DATA_DIR"] = servers[0].environment["BOSSJY_DATA_DIR"]
        for server in servers:
            stack.callback(server.end)
            server.start()
        made = Gateway(folder, servers, authority.certificate)
        start_proxies(made, stack)
        _register(made)
        yield made


def start_proxies(made: Gateway, stack: ExitStack) -> None:
    """Envoy and Traefik in front of the servers. The folder has the certificate of Traefik."""
    _start_envoy(made, stack)
    _start_traefik(made, stack)


def _start_envoy(made: Gateway, stack: ExitStack) -> None:
    descriptors = made.folder / "bossjy.binpb"
    subprocess.run([sys.executable, ROOT / "clients/python/generate.py", "--check"], check=True, cwd=ROOT)
    shutil.copy(ROOT / "build" / "bossjy.binpb", descriptors)
    line = "              - endpoint: {address: {socket_address: {address: bossjy, port_value: %d}}}"
    ports = [int(one.environment["BOSSJY_PORT"]) for one in made.servers]
    operations = [int(one.environment["BOSSJY_METRICS_PORT"]) for one in made.servers]
    replaced = {
        "/etc/bossjy/bossjy.binpb": str(descriptors),
        line % 18001: endpoints(ports),
        line % 18002: endpoints(operations),
        "{address: 0.0.0.0, port_value: 18080}": f"{{address: 127.0.0.1, port_value: {httpx.URL(made.envoy).port}}}",
        "port_value: 19901": f"port_value: {made.admin.rpartition(':')[2]}",
        "cache_duration: 15s": "cache_duration: 1s",  # as short as BOSSJY_KEY_RELOAD_S here
    }
    file = adapted("envoy.yaml", replaced, made.folder)
    arguments = [program("envoy"), "-c", str(file), "--log-level", "warning", "--base-id", str(free_port())]
    stack.enter_context(running(arguments, made.folder / "envoy.log"))
    _await_answer(f"{made.envoy}/.well-known/jwks.json", made.folder / "envoy.log")


def _start_traefik(made: Gateway, stack: ExitStack) -> None:
    ports = [int(one.environment["BOSSJY_PORT"]) for one in made.servers]
    adapted(
        "routes.yaml",
        {
            "/etc/traefik/": f"{made.folder}/",
            "          - url: h2c://bossjy:18001": "\n".join(
                f"          - url: h2c://127.0.0.1:{port}" for port in ports
            ),
            "h2c://envoy:18080": made.envoy.replace("http", "h2c"),
        },
        made.folder,
    )
    replaced = {
        "/etc/traefik/": f"{made.folder}/",
        '":18443"': f'"127.0.0.1:{made.port}"',
        "127.0.0.1:18444": made.operations,
    }
    file = adapted("traefik.yaml", replaced, made.folder)
    stack.enter_context(running([program("traefik"), f"--configFile={file}"], made.folder / "traefik.log"))
    _await_answer(f"{made.url}/.well-known/jwks.json", made.folder / "traefik.log", made.folder / "authority.pem")


def _await_answer(url: str, log: Path, authority: Path | None = None) -> None:
    ends = time.monotonic() + UP_S
    context: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(authority)) if authority else True
    while True:
        try:
            if httpx.get(url, verify=context, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < ends, log.read_text(errors="replace")[-3000:]
        time.sleep(0.2)


def _register(made: Gateway) -> None:
    credentials = grpc.ssl_channel_credentials(made.authority)
    with grpc.secure_channel(made.target, credentials) as channel:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        answer = stub.Register(
            auth_service_pb2.RegisterRequest(tenant_display_name="Acme", email=EMAIL, password=PASSWORD), timeout=30
        )
    made.tenant_id, made.token = answer.tenant.tenant_id, answer.tokens.access_token


async def _next(values: AsyncIterator[str]) -> str:
    return await anext(values, "")
