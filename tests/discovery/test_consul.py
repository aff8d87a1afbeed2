"""Servers in a real Consul agent: registration, health, loss, return, drain, and workers as one entry."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.discovery.consul_agent import ConsulAgent, program
from tests.e2e.conftest import ServerProcess, made_server, on_parts


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return program(tmp_path_factory.mktemp("consul"))


@pytest.fixture
def agent(path: str, tmp_path: Path) -> Iterator[ConsulAgent]:
    one = ConsulAgent(path, tmp_path)
    one.start()
    yield one
    one.kill()


@pytest.fixture
def servers(agent: ConsulAgent, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Two servers, not started."""
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        settings = {
            "BOSSJY_CONSUL_URL": agent.url,
            "BOSSJY_CONSUL_CHECK_INTERVAL_S": "1",
            "BOSSJY_CONSUL_RENEW_S": "0.5",
            "BOSSJY_CONSUL_LEAVE_S": "0.5",
            "BOSSJY_CONSUL_TAGS": "traefik.enable=true",
        }
        made.append(made_server(tmp_path / name, **on_parts(database_url, redis_url), **settings))
    yield made
    for one in made:
        one.end()


def ports(*servers: ServerProcess) -> list[int]:
    return sorted(int(one.environment["BOSSJY_PORT"]) for one in servers)


def test_servers_come_go_and_return(agent: ConsulAgent, servers: list[ServerProcess]) -> None:
    first, second = servers
    for one in servers:
        one.start()
    agent.until(lambda: agent.healthy() == ports(first, second))
    [entry, _] = agent.ask("/v1/catalog/service/bossjy")
    assert entry["ServiceTags"] == ["traefik.enable=true"]
    assert entry["ServiceAddress"] == "127.0.0.1"

    second.kill()  # it cannot leave: the agent's check notices
    agent.until(lambda: agent.healthy() == ports(first))
    second.start()
    agent.until(lambda: agent.healthy() == ports(first, second))

    agent.kill()
    agent.start()
    agent.until(lambda: agent.healthy() == ports(first, second))

    assert second.terminate() == 0
    assert agent.healthy() == ports(first)
    assert "left Consul" in (second.data_dir / "logs" / "bossjy.log").read_text()


def test_an_unhealthy_server_is_not_passing(agent: ConsulAgent, servers: list[ServerProcess]) -> None:
    one = servers[0]
    one.start()
    agent.until(lambda: agent.healthy() == ports(one))
    one.send(signal.SIGSTOP)
    agent.until(lambda: agent.healthy() == [])
    one.send(signal.SIGCONT)
    agent.until(lambda: agent.healthy() == ports(one))


def test_workers_are_one_entry_that_survives_their_renewal(agent: ConsulAgent, servers: list[ServerProcess]) -> None:
    one = servers[0]
    one.environment["BOSSJY_WORKERS"] = "2"
    one.start()
    agent.until(lambda: agent.healthy() == ports(one))
    assert len(agent.ask("/v1/catalog/service/bossjy")) == 1
    assert one.terminate() == 0
    assert agent.ask("/v1/catalog/service/bossjy") == []
