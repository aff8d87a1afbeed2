"""Causes of failed connections: gRPC's texts, and real refusals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import replace

import grpc
import pytest

from bossjy_client import BossjyError, Client, ClientConfig, InvalidRequestError, UnavailableError
from bossjy_client.reachability import cause_of
from tests.unit.client.conftest import Start
from tests.unit.client.test_calls import PhoneDouble

# As grpcio 1.7x writes them.
TEXTS = {
    "DNS resolution failed for no-such-host.invalid:443: C-ares status is not ARES_SUCCESS": ("not known", True),
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: connect: Connection refused (111)": (
        "refused",
        False,
    ),
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Ssl handshake failed: SSL_ERROR_SSL: "
    "error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER: Invalid certificate": ("speak TLS", True),
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Ssl handshake failed: SSL_ERROR_SSL: "
    "error:0A000086:SSL routines::certificate verify failed CERTIFICATE_VERIFY_FAILED": ("not trusted", True),
    "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed": ("TLS", False),
}


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=lambda value: str(value)[-24:])
def test_the_cause_is_named(text: str, expected: tuple[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    cause = cause_of(text)
    assert cause is not None
    assert (expected[0] in cause.text, cause.lasting) == (True, expected[1])
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    named = cause_of(text)
    assert named is not None
    assert "names a proxy: https_proxy" in named.text


def test_an_unknown_text_has_no_cause() -> None:
    assert cause_of("the plan is older") is None


async def test_tls_to_a_server_without_it(start: Start, quick: ClientConfig) -> None:
    running = await start(PhoneDouble().add_to)
    with pytest.raises(UnavailableError, match=r"the server does not speak TLS|TLS handshake failed"):
        await Client.connect(running.target, config=replace(quick, plaintext=False), connect_timeout_s=60)


async def test_a_silent_service_and_a_silent_address_are_named_within_three_seconds(quick: ClientConfig) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent, contextlib.ExitStack() as waiting:
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"accepts the connection and says nothing within 2\.5 s: check"):
            await Client.connect(target, config=quick)
        for _ in range(3):  # fills the queue of the system, which then ignores new connections
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(silent.getsockname())
        with pytest.raises(UnavailableError, match=r"nothing answers within 0\.5 s: check the address"):
            await Client.connect(target, config=quick, connect_timeout_s=0.5)


async def test_calls_wait_for_a_server_that_comes_back(start: Start, quick: ClientConfig) -> None:
    """A call whose repetition could do harm waits as well while there is no connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def serve() -> grpc.aio.Server:
        server = grpc.aio.server()
        PhoneDouble().add_to(server)
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        return server

    first = await serve()
    config = replace(quick, timeout_s=60, max_attempts=1)
    async with await Client.connect(f"127.0.0.1:{port}", config=config) as client:
        assert (await client.phone.validate("1")).valid
        await first.stop(None)
        began = time.monotonic()
        calls = (client.phone.validate("1"), client.phone.validate("2"), client.phone.lookup("1"))
        waiting = asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(1)
        assert not waiting.done()
        second = await serve()
        *answers, unserved = await waiting
        assert [getattr(answer, "valid", answer) for answer in answers] == [True, True]
        assert isinstance(unserved, BossjyError)
        assert unserved.code == "UNIMPLEMENTED"  # the answer of the server
        assert time.monotonic() - began >= 0.99  # the loop's timers are exact to a millisecond
        await second.stop(None)


@pytest.mark.parametrize(
    ("target", "config", "message"),
    [
        (" ", ClientConfig(), "the target is empty"),
        ("https://bossjy.example:443/", ClientConfig(), r"give bossjy.example:443, and .*plaintext=False"),
        ("h:1", ClientConfig(load_balancing="fastest"), "the policies are pick_first, round_robin"),
        ("h:1", ClientConfig(root_certificates=b"none"), "--ca-file.: these are no certificates"),
        ("h:1", ClientConfig(certificate=(b"none", b"")), "--cert-file.: these are no certificates"),
    ],
)
async def test_settings_that_cannot_work_are_named_before_a_connection(
    target: str, config: ClientConfig, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        await Client.connect(target, config=config)
