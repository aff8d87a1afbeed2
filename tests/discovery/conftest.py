"""Fixtures: a real Consul agent, and servers that register in it."""

from __future__ import annotations

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
    """Three servers, not started."""
    made = []
    for name in "abc":
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
