"""Targets `consul://` and `dns://` with a real agent: servers that are killed, added and drained while clients call."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bossjy_client import AsyncClient, ClientConfig, SyncClient, UnavailableError
from bossjy_server.storage.process import free_port
from tests.discovery.conftest import ports
from tests.discovery.consul_agent import ConsulAgent
from tests.e2e.conftest import ServerProcess, caller_environment, program, register

NUMBER = "+8613800138000"
CONFIG = ClientConfig(timeout_s=60, max_backoff_s=1)


@pytest.fixture
def target(agent: ConsulAgent) -> str:
    return agent.url.replace("http://", "consul://") + "/bossjy"


def calls_of(server: ServerProcess) -> int:
    """Calls of tenants that the server has answered; 0 if it does not answer."""
    try:
        text = httpx.get(f"http://127.0.0.1:{server.environment['BOSSJY_METRICS_PORT']}/metrics", timeout=5).text
    except httpx.HTTPError:
        return 0
    lines = [line for line in text.splitlines() if line.startswith("bossjy_tenant_calls_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if 'outcome="ok"' in line)


async def test_no_call_fails_when_servers_are_killed_added_and_drained(
    agent: ConsulAgent, servers: list[ServerProcess], target: str
) -> None:
    first, second, third = servers
    for one in servers:
        one.environment["BOSSJY_DATA_DIR"] = first.environment["BOSSJY_DATA_DIR"]  # one folder of keys
        one.environment["BOSSJY_METRICS_PORT"] = str(free_port())
    await asyncio.gather(*(asyncio.to_thread(one.start) for one in (first, second)))
    await asyncio.to_thread(agent.until, lambda: agent.healthy() == ports(first, second))
    key = await asyncio.to_thread(api_key, first)
    stop, made, failed = threading.Event(), [0, 0], []

    async def by_async() -> None:
        async with await AsyncClient.connect(target, token=key, config=CONFIG) as client:
            while not stop.is_set():
                made[0] += (await client.phone.validate(NUMBER)).valid

    def by_sync() -> None:
        try:
            with SyncClient.connect(target, token=key, config=CONFIG) as client:
                while not stop.is_set():
                    made[1] += client.phone.validate(NUMBER).valid
        except Exception as error:  # noqa: BLE001 - the test shows it
            failed.append(error)

    async def until_called(server: ServerProcess) -> None:
        before = await asyncio.to_thread(calls_of, server)
        async with asyncio.timeout(60):
            while await asyncio.to_thread(calls_of, server) < before + 10:
                await asyncio.sleep(0.1)

    running = [asyncio.create_task(by_async()), asyncio.create_task(asyncio.to_thread(by_sync))]
    try:
        for one in (first, second):
            await until_called(one)
        await asyncio.to_thread(second.kill)
        await asyncio.to_thread(third.start)
        await until_called(third)
        await asyncio.to_thread(agent.kill)
        await until_called(first)
        await asyncio.to_thread(agent.start)
        await asyncio.to_thread(agent.until, lambda: agent.healthy() == ports(first, third))
        assert await asyncio.to_thread(first.terminate) == 0
        await until_called(third)
    finally:
        stop.set()
        ended = await asyncio.gather(*running, return_exceptions=True)
    assert [one for one in ended if one is not None] == []
    assert failed == []
    assert min(made) > 50


def test_the_tool_accepts_the_target(
    agent: ConsulAgent, servers: list[ServerProcess], target: str, tmp_path: Path
) -> None:
    servers[0].start()
    agent.until(lambda: agent.healthy() == ports(servers[0]))
    environment = caller_environment(tmp_path) | {"BOSSJY_TOKEN": api_key(servers[0])}
    command = [program("bossjy"), "phone", "validate", "--target", target, "--json", NUMBER]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ended.stdout)["e164"] == NUMBER
    file = tmp_path / "people.csv"
    file.write_text("phone,name\n" + "".join(f"+4477{number:08d},n\n" for number in range(12_300_000, 12_301_000)))
    with SyncClient.connect(target, token=register(servers[0].target).token) as client:
        assert client.imports.upload_file(file).counts.inserted == 1000  # a stream in both directions


async def test_names_of_dns_with_round_robin(agent: ConsulAgent, servers: list[ServerProcess]) -> None:
    """As for a headless service: one name, several addresses, one port."""
    first, second, _ = servers
    port = str(free_port())
    for number, one in enumerate((first, second)):
        one.environment |= {
            "BOSSJY_HOST": f"127.0.0.{number + 1}",
            "BOSSJY_PORT": port,
            "BOSSJY_DATA_DIR": first.environment["BOSSJY_DATA_DIR"],
            "BOSSJY_METRICS_PORT": str(free_port()),
            "BOSSJY_CONSUL_ADDRESS": f"127.0.0.{number + 1}",
        }
    await asyncio.to_thread(first.start)
    key = await asyncio.to_thread(api_key, first)
    second.launch()
    await asyncio.to_thread(agent.until, lambda: len(agent.healthy()) == 2)
    config = replace(CONFIG, load_balancing="round_robin", plaintext=True)
    target = f"dns://{agent.dns}/bossjy.service.consul:{port}"
    async with await AsyncClient.connect(target, token=key, config=config, connect_timeout_s=30) as client:
        async with asyncio.timeout(60):
            while not (await asyncio.to_thread(calls_of, first) and await asyncio.to_thread(calls_of, second)):
                await client.phone.validate(NUMBER)
        await asyncio.to_thread(first.kill)
        for _ in range(50):
            assert (await client.phone.validate(NUMBER)).valid
        await asyncio.to_thread(second.kill)
        with pytest.raises(UnavailableError, match=f"no connection to {target}: the connection is refused"):
            await client.phone.validate(NUMBER, timeout=1)


def api_key(server: ServerProcess) -> str:
    """An API key, which servers with different signing keys accept."""
    with SyncClient.connect(server.target, token=register(server.target).token) as client:
        return client.auth.create_api_key("test", ["phone.read"]).secret
