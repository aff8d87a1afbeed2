"""Registration in Consul: kept while the server serves, renewed after a loss, never in the way of the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bossjy_server.config import read_settings
from bossjy_server.discovery.agent import Agent, AgentFailed, address_for
from bossjy_server.discovery.consul_registration import entry_of
from bossjy_server.discovery.opening import discoverable
from bossjy_server.discovery.options import DiscoveryOptions
from bossjy_server.errors import StartError
from tests.integration.discovery.agent_double import AgentDouble, agent_double

QUICK = DiscoveryOptions(renew_s=0.05, leave_s=0.0, timeout_s=0.3)
ID = "bossjy-10.1.2.3-18001"


@pytest.fixture
async def agent() -> AsyncIterator[AgentDouble]:
    async with agent_double() as double:
        yield double


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_server_is_registered_while_it_serves(agent: AgentDouble) -> None:
    options = replace(QUICK, url=agent.url, token="a-token", tags=("one", "two"))
    async with discoverable(options, "10.1.2.3", 18001, tls=True):
        await _until(lambda: ID in agent.entries)
        entry = agent.entries[ID]
        assert (entry["Name"], entry["Address"], entry["Port"]) == ("bossjy", "10.1.2.3", 18001)
        assert entry["Tags"] == ["one", "two"]
        assert entry["Meta"]["tls"] == "on"
        assert entry["Check"]["GRPC"] == "10.1.2.3:18001"
        assert entry["Check"]["GRPCUseTLS"] is True
    assert agent.entries == {}
    assert set(agent.tokens) == {"a-token"}


async def test_an_agent_that_lost_the_entry_gets_it_again(agent: AgentDouble) -> None:
    async with discoverable(replace(QUICK, url=agent.url), "10.1.2.3", 18001, tls=False):
        await _until(lambda: ID in agent.entries)
        agent.entries.clear()
        await _until(lambda: ID in agent.entries)
    # A known entry is looked for, not written again each time.
    assert agent.requests.count("PUT /v1/agent/service/register?replace-existing-checks=true") == 2


async def test_an_agent_that_starts_later_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async with agent_double() as gone:
        port = gone.port
    options = replace(QUICK, url=f"http://127.0.0.1:{port}")
    with caplog.at_level(logging.INFO, "bossjy_server"):
        async with discoverable(options, "10.1.2.3", 18001, tls=False):
            await _until(lambda: "cannot be used" in caplog.text)
            await asyncio.sleep(0.5)
            async with agent_double(port) as agent:
                await _until(lambda: ID in agent.entries)
                # One line for the cause, not one for each attempt.
                assert caplog.text.count("cannot be used") == 1
    assert f"127.0.0.1:{port}" not in caplog.text


@pytest.mark.parametrize(
    ("status", "advice"), [(403, "BOSSJY_CONSUL_TOKEN"), (500, "it answered 500"), (307, "it answered 307")]
)
async def test_a_refusal_is_named_with_advice(agent: AgentDouble, status: int, advice: str) -> None:
    agent.status = status
    consul = Agent(replace(QUICK, url=agent.url))
    with pytest.raises(AgentFailed, match=advice):
        await consul.register(entry_of(QUICK, "10.1.2.3", 18001, tls=False))
    await consul.close()


async def test_a_silent_agent_delays_the_end_by_one_timeout(agent: AgentDouble) -> None:
    agent.silent = True
    async with asyncio.timeout(10):
        async with discoverable(replace(QUICK, url=agent.url), "10.1.2.3", 18001, tls=False):
            await _until(lambda: len(agent.requests) > 1)


async def test_without_a_url_nothing_is_registered() -> None:
    async with discoverable(QUICK, "10.1.2.3", 18001, tls=False):
        pass


def test_the_address_is_the_one_that_the_agent_reaches() -> None:
    near = replace(QUICK, url="http://127.0.0.1:8500")
    assert address_for(near, "0.0.0.0") == "127.0.0.1"  # noqa: S104 - compared, not bound
    assert address_for(near, "10.1.2.3") == "10.1.2.3"
    assert address_for(replace(near, address="service.internal"), "0.0.0.0") == "service.internal"  # noqa: S104 - as above
    assert address_for(replace(near, url="http://[::1]:8500"), "::") in {"::1", "127.0.0.1"}
    assert address_for(replace(near, url="https://no-such-host.invalid"), "::") == "127.0.0.1"


@pytest.mark.parametrize("name", ["BOSSJY_CONSUL_URL", "BOSSJY_OTLP_ENDPOINT", "REDIS_URL"])
@pytest.mark.parametrize("place", ["", "agent:port", "[::1", "agent:99999", "agent:0"])
def test_a_url_without_a_host_or_port_is_refused_before_the_start(name: str, place: str) -> None:
    scheme = "redis" if name == "REDIS_URL" else "http"
    with pytest.raises(StartError, match=rf"{name} must be a URL"):
        read_settings({name: f"{scheme}://{place}"})


def test_an_address_of_ipv6_is_bracketed_in_the_check() -> None:
    assert entry_of(QUICK, "2001:db8::1", 18001, tls=False)["Check"]["GRPC"] == "[2001:db8::1]:18001"
