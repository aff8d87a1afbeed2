"""The metrics endpoint: text over HTTP, a port in use, only its own path, slow clients."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

import pytest

from bossjy_server.errors import StartError
from bossjy_server.telemetry.metrics import MetricsEndpoint, new_registry
from bossjy_server.telemetry.text_pages import Page
from tests import metrics
from tests.ports import free_port

PAGES = {"/livez": lambda: Page("alive\n"), "/readyz": lambda: Page("not ready\n", status=503)}


@pytest.fixture
def port() -> Iterator[int]:
    """The port of an endpoint whose connections may take a second."""
    one = free_port()
    endpoint = MetricsEndpoint(new_registry(), "127.0.0.1", one, pages=PAGES, connection_s=1.0)
    yield one
    endpoint.close()


def answer(port: int, method: str, path: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.getheader("Content-Type", ""), body


def answers(port: int) -> bool:
    """True if there is room for a connection."""
    try:
        return answer(port, "GET", "/metrics")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("GET", "/metrics?name=x", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/livez", 200),
        ("HEAD", "/readyz", 503),
        ("POST", "/livez", 405),
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("GET", "/debug/pprof", 404),
        ("HEAD", "/", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/metrics", 405),
        ("OPTIONS", "/", 405),
    ],
)
def test_only_its_own_path_is_served(port: int, method: str, path: str, status: int) -> None:
    got, _, body = answer(port, method, path)
    assert got == status
    assert (b"process_resident_memory_bytes" in body) == (
        path.startswith("/metrics") and (status, method) == (200, "GET")
    )
    assert (b"alive" in body) == (path == "/livez" and (status, method) == (200, "GET"))
    assert not body or method != "HEAD"


def test_the_requested_format_is_used(port: int) -> None:
    assert answer(port, "GET", "/metrics")[1].startswith("text/plain; version=0.0.4")
    accept = "application/openmetrics-text; version=1.0.0"
    assert answer(port, "GET", "/metrics", Accept=accept)[1].startswith("application/openmetrics-text")


def test_nothing_of_a_request_is_repeated(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"\xff junk-of-a-client\r\n\r\n")
        got = client.recv(1000)
    assert b"junk" not in got
    assert capsys.readouterr() == ("", "")


def test_slow_clients_are_disconnected_and_too_many_refused(port: int) -> None:
    clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(20)]
    clients[0].sendall(b"GET /metrics HTTP/1.1\r\n")  # and never the rest
    assert [client.recv(1) for client in clients] == [b""] * 20
    for client in clients:
        client.close()
    until = time.monotonic() + 20
    while not answers(port):  # the last of them may still be closing
        assert time.monotonic() < until
        time.sleep(0.1)


def test_an_address_of_its_own() -> None:
    port = free_port()
    MetricsEndpoint(new_registry(), "localhost", port).close()
    for host in ("203.0.113.1", "no.such.host.invalid"):
        with pytest.raises(StartError, match="BOSSJY_METRICS_HOST"):
            MetricsEndpoint(new_registry(), host, port)


def test_metrics_are_served_until_closed() -> None:
    port = free_port()
    endpoint = MetricsEndpoint(new_registry(), "127.0.0.1", port)
    with pytest.raises(StartError, match="BOSSJY_METRICS_PORT"):
        MetricsEndpoint(new_registry(), "127.0.0.1", port)
    assert metrics.value(port, "process_resident_memory_bytes") > 0
    endpoint.close()
    MetricsEndpoint(new_registry(), "127.0.0.1", port).close()
