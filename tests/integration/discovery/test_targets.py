"""Targets `consul://`: the healthy instances of a service, followed while calls run, with a double of the agent."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client import AsyncClient, ClientConfig, InvalidRequestError, SyncClient, UnavailableError
from bossjy_client.consul import consul_target
from tests.integration.discovery.agent_double import AgentDouble, agent_double
from tests.integration.rpc.certificates import Authority

QUICK = ClientConfig(timeout_s=20.0, initial_backoff_s=0.01, max_backoff_s=0.1)


@dataclass
class Instance:
    """A server with one method. It waits for `free` in each call, and counts its connections."""

    free: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    peers: set[str] = field(default_factory=set)
    port: int = 0
    server: Any = None

    @property
    def place(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    async def start(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.free.set()
        handler: Any = grpc.unary_unary_rpc_method_handler(
            self._answer, pb.ValidateNumberRequest.FromString, pb.ValidateNumberResponse.SerializeToString
        )
        handlers = {"ValidateNumber": handler}
        self.server = grpc.aio.server()
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bossjy.phone.v1.PhoneService", handlers),)
        )
        place = f"127.0.0.1:{self.port}"
        if credentials is None:
            self.port = self.server.add_insecure_port(place)
        else:
            self.port = self.server.add_secure_port(place, credentials)
        await self.server.start()

    async def _answer(self, _: object, context: Any) -> pb.ValidateNumberResponse:
        self.calls += 1
        self.peers.add(context.peer())
        await self.free.wait()
        return pb.ValidateNumberResponse(valid=True, e164=str(self.port))


@pytest.fixture
async def agent() -> AsyncIterator[AgentDouble]:
    async with agent_double() as double:
        yield double


@pytest.fixture
async def three() -> AsyncIterator[list[Instance]]:
    made = [Instance() for _ in range(3)]
    for one in made:
        await one.start()
    yield made
    for one in made:
        await one.server.stop(None)


def target_of(agent: AgentDouble, options: str = "") -> str:
    return f"consul://127.0.0.1:{agent.port}/bossjy{options}"


async def until(true: Callable[[], bool], work: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await work()


async def test_calls_go_to_all_instances_and_follow_them(agent: AgentDouble, three: list[Instance]) -> None:
    first, second, third = three
    agent.instances(first.place, second.place)
    config = replace(QUICK, consul_token="a-token")
    async with await AsyncClient.connect(target_of(agent, "?tag=blue&dc=east"), config=config) as client:
        await until(lambda: bool(first.calls and second.calls), lambda: client.phone.validate("1"))
        agent.instances(second.place, third.place)
        await until(lambda: bool(third.calls), lambda: client.phone.validate("1"))
        before = first.calls
        for _ in range(20):
            await client.phone.validate("1")
        assert first.calls == before
        assert third.calls
    # The server that remained kept its connection.
    assert len(second.peers) == 1
    assert agent.tokens[0] == "a-token"
    path, waiting = (request.partition("?")[2] for request in agent.requests[:2])
    assert path == "passing=1&tag=blue&dc=east"
    assert waiting == "passing=1&tag=blue&dc=east&index=2&wait=20s"


class Passing(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(client_call_details, request)


@pytest.mark.parametrize("interceptors", [(), (Passing(),)], ids=["plain", "interceptor"])
async def test_a_call_on_a_removed_instance_ends_normally(
    agent: AgentDouble, three: list[Instance], interceptors: tuple[Passing, ...]
) -> None:
    first, second, _ = three
    agent.instances(first.place)
    first.free.clear()
    config = replace(QUICK, interceptors=interceptors)
    async with await AsyncClient.connect(target_of(agent), config=config) as client:
        running = asyncio.create_task(client.phone.validate("1"))
        async with asyncio.timeout(20):
            while not first.calls:
                await asyncio.sleep(0.01)
        agent.instances(second.place)

        async def ask() -> None:
            with suppress(UnavailableError):  # it waits on the first server
                await client.phone.validate("1", timeout=0.2)

        await until(lambda: bool(second.calls), ask)
        assert not running.done()
        first.free.set()
        assert (await running).e164 == str(first.port)


async def test_an_agent_that_is_gone_or_empty_changes_nothing(three: list[Instance]) -> None:
    first, second, _ = three
    async with agent_double() as agent:
        agent.instances(first.place)
        client = await AsyncClient.connect(target_of(agent), config=QUICK)
        port = agent.port
        agent.instances()
        asked = len(agent.requests)
        await until(lambda: len(agent.requests) > asked, lambda: asyncio.sleep(0.01))
        assert (await client.phone.validate("1")).e164 == str(first.port)
    assert (await client.phone.validate("1")).e164 == str(first.port)
    async with agent_double(port) as agent:
        agent.instances(second.place)
        await until(lambda: bool(second.calls), lambda: client.phone.validate("1"))
    await client.close()


async def test_a_killed_instance_costs_no_call_that_is_safe(agent: AgentDouble, three: list[Instance]) -> None:
    first, second, third = three
    agent.instances(first.place, second.place)
    async with await AsyncClient.connect(target_of(agent), config=QUICK) as client:
        await until(lambda: bool(first.calls and second.calls), lambda: client.phone.validate("1"))
        await first.server.stop(None)  # it is still in the catalog
        for _ in range(50):
            assert (await client.phone.validate("1")).e164 == str(second.port)
        agent.instances(second.place, third.place)
        await until(lambda: bool(third.calls), lambda: client.phone.validate("1"))


async def test_the_synchronous_client_follows_them_too(agent: AgentDouble, three: list[Instance]) -> None:
    first, second, _ = three
    agent.instances(first.place)
    client = await asyncio.to_thread(SyncClient.connect, target_of(agent), config=QUICK)
    try:
        assert (await asyncio.to_thread(client.phone.validate, "1")).e164 == str(first.port)
        agent.instances(second.place)
        await until(lambda: bool(second.calls), lambda: asyncio.to_thread(client.phone.validate, "1"))
    finally:
        await asyncio.to_thread(client.close)
    async with asyncio.timeout(20):
        while any(thread.name == "bossjy-consul" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["", "localhost"])
async def test_a_certificate_has_the_address_in_consul_or_the_name_of_the_target(agent: AgentDouble, name: str) -> None:
    authority = Authority()
    signed = authority.sign("server")  # for 127.0.0.1, its address in Consul, and localhost
    instance = Instance()
    await instance.start(grpc.ssl_server_credentials([(signed.key, signed.certificate)]))
    agent.instances(instance.place)
    config = replace(QUICK, root_certificates=authority.certificate)
    try:
        options = f"?server_name={name}" if name else ""
        async with await AsyncClient.connect(target_of(agent, options), config=config) as client:
            assert (await client.phone.validate("1")).valid
        with pytest.raises(UnavailableError, match="another name"):
            await AsyncClient.connect(target_of(agent, "?server_name=other.example"), config=config)
    finally:
        await instance.server.stop(None)


async def test_an_agent_with_tls_is_verified(
    three: list[Instance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    certificate, key = authority.sign("agent").write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with agent_double(tls=context) as agent:
        agent.instances(three[0].place)
        target = target_of(agent).replace("consul://", "consul+https://")
        with pytest.raises(UnavailableError, match=r"TLS handshake failed \(CERTIFICATE_VERIFY_FAILED\)"):
            await AsyncClient.connect(target, config=QUICK, connect_timeout_s=1)
        trusted = tmp_path / "authority.pem"
        trusted.write_bytes(authority.certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        async with await AsyncClient.connect(target, config=QUICK) as client:
            assert (await client.phone.validate("1")).valid


async def test_a_first_answer_is_waited_for(agent: AgentDouble, three: list[Instance]) -> None:
    connecting = asyncio.create_task(AsyncClient.connect(target_of(agent), config=QUICK, connect_timeout_s=20))
    await until(lambda: bool(agent.requests), lambda: asyncio.sleep(0.01))
    agent.instances(three[0].place)
    async with await connecting as client:
        assert (await client.phone.validate("1")).valid


async def test_causes_are_named(agent: AgentDouble) -> None:
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=r"no address of consul://.*: no healthy instance of bossjy"):
        await AsyncClient.connect(target_of(agent), connect_timeout_s=0.5)
    agent.status = 403
    with pytest.raises(UnavailableError, match="service:read"):
        await AsyncClient.connect(target_of(agent), connect_timeout_s=30)
    agent.status = 500
    with pytest.raises(UnavailableError, match="it answered 500"):
        await AsyncClient.connect(target_of(agent), connect_timeout_s=0.5)
    with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
        await AsyncClient.connect("consul://127.0.0.1:1/bossjy", connect_timeout_s=0.5)
    assert time.monotonic() - started < 25


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("consul://127.0.0.1:8500", "no service"),
        ("consul:///bossjy", "no host"),
        ("consul://127.0.0.1:99999/bossjy", "cannot be read"),
        ("consul://127.0.0.1/a/b", "no service"),
        ("consul://127.0.0.1/bossjy?zebra=1", "unknown options zebra"),
        ("consul://user:word@127.0.0.1/bossjy", "consul_token"),
    ],
)
async def test_a_wrong_target_is_refused(target: str, complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=complaint) as caught:
        await AsyncClient.connect(target)
    assert "word" not in str(caught.value)


def test_ports_and_schemes() -> None:
    assert consul_target("consul://agent/bossjy").port == 8500
    secured = consul_target("consul+https://agent/bossjy")
    assert (secured.port, secured.tls) == (8501, True)
