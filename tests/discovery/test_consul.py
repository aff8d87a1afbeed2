"""Servers in a real Consul agent: registration, health, loss, return, drain, and workers as one entry."""

from __future__ import annotations

import signal

from tests.discovery.conftest import ports
from tests.discovery.consul_agent import ConsulAgent
from tests.e2e.conftest import ServerProcess


def test_servers_come_go_and_return(agent: ConsulAgent, servers: list[ServerProcess]) -> None:
    first, second, _ = servers
    for one in (first, second):
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
