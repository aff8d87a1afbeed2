"""Traefik with its Consul catalog: servers that a real agent knows, one killed, one added, one drained under load."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bossjy_client import AsyncClient, BossjyError, ClientConfig
from bossjy_server.embedded.system import free_port
from tests.discovery.consul_agent import ConsulAgent
from tests.discovery.consul_agent import program as consul_program
from tests.e2e.conftest import ROOT, ServerProcess, made_server, on_parts, register
from tests.gateway.conftest import CONFIGURATION, adapted, program, running
from tests.integration.rpc.certificates import Authority

pytestmark = pytest.mark.timeout(600)

# As documented.
_TAGS = re.search(r"BOSSJY_CONSUL_TAGS=(\S+)", (ROOT / "docs" / "discovery.md").read_text())
_REMOVED = """    bossjy:
      loadBalancer:
        servers:
          - url: h2c://bossjy:18001
        healthCheck: {mode: grpc, interval: 2s, timeout: 1s}
"""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[ConsulAgent]:
    (tmp_path / "consul").mkdir()
    one = ConsulAgent(consul_program(tmp_path / "consul"), tmp_path / "consul")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def servers(agent: ConsulAgent, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Three servers, not started, with one folder of keys."""
    assert _TAGS is not None
    made = []
    for name in "abc":
        (tmp_path / name).mkdir()
        settings = {
            "BOSSJY_CONSUL_URL": agent.url,
            "BOSSJY_CONSUL_CHECK_INTERVAL_S": "1",
            "BOSSJY_CONSUL_TAGS": _TAGS[1],
            "BOSSJY_TRUSTED_PROXIES": "127.0.0.0/8",
        }
        made.append(made_server(tmp_path / name, **on_parts(database_url, redis_url), **settings))
        made[-1].environment["BOSSJY_DATA_DIR"] = made[0].environment["BOSSJY_DATA_DIR"]
    yield made
    for one in made:
        one.end()


@pytest.fixture
def traefik(agent: ConsulAgent, tmp_path: Path) -> Iterator[tuple[str, ClientConfig]]:
    """Its address, and the settings of a client."""
    authority = Authority()
    authority.sign("localhost").write(tmp_path)
    routes = {
        "/etc/traefik/": f"{tmp_path}/",
        _REMOVED: "",
        "service: bossjy\n": "service: bossjy@consulcatalog\n",
    }
    adapted("routes.yaml", routes, tmp_path)
    catalog = (CONFIGURATION / "consul-catalog.yaml").read_text()
    catalog = catalog.replace("127.0.0.1:8500", agent.url.removeprefix("http://"))
    port = free_port()
    file = adapted(
        "traefik.yaml",
        {
            "providers:\n": "providers:\n" + "".join(f"  {line}\n" for line in catalog.splitlines()),
            "/etc/traefik/": f"{tmp_path}/",
            '":18443"': f'"127.0.0.1:{port}"',
            "127.0.0.1:18444": f"127.0.0.1:{free_port()}",
        },
        tmp_path,
    )
    config = ClientConfig(root_certificates=authority.certificate, timeout_s=60, max_backoff_s=1)
    with ExitStack() as stack:
        stack.enter_context(running([program("traefik"), f"--configFile={file}"], tmp_path / "traefik.log"))
        yield f"localhost:{port}", config


async def test_traefik_routes_to_what_is_registered(
    agent: ConsulAgent, servers: list[ServerProcess], traefik: tuple[str, ClientConfig]
) -> None:
    first, second, third = servers
    target, config = traefik
    await asyncio.gather(asyncio.to_thread(first.start), asyncio.to_thread(second.start))
    tenant = await asyncio.to_thread(register, first.target)
    stop, valid = asyncio.Event(), 0

    async def until_routed(client: AsyncClient) -> None:
        """Wait for the first poll of the catalog: before it, Traefik knows no route and answers 404."""
        async with asyncio.timeout(60):
            while True:
                try:
                    await client.phone.validate("+8613800138000")
                except BossjyError:
                    await asyncio.sleep(0.2)
                else:
                    return

    async def call() -> None:
        nonlocal valid
        async with await AsyncClient.connect(target, token=tenant.token, config=config, connect_timeout_s=30) as client:
            await until_routed(client)
            while not stop.is_set():
                valid += (await client.phone.validate("+8613800138000")).valid

    async def until_called() -> None:
        former = valid
        async with asyncio.timeout(60):
            while valid < former + 20:
                await asyncio.sleep(0.1)

    task = asyncio.create_task(call())
    try:
        await until_called()
        await asyncio.to_thread(second.kill)
        await until_called()
        await asyncio.to_thread(third.start)
        await asyncio.to_thread(agent.until, lambda: len(agent.healthy()) == 2)
        assert await asyncio.to_thread(first.terminate) == 0  # only the third is left
        await until_called()
    finally:
        stop.set()
        [ended] = await asyncio.gather(task, return_exceptions=True)
    assert ended is None, (valid, ended)
