"""Client spans of a program that uses OpenTelemetry: one trace holds the client's, the server's and SQL's spans."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bossjy_client.tracing import server_of
from tests.otlp import below, otlp_receiver, values
from tests.service import serve

CLIENT, SERVER = 3, 2  # the kinds in OTLP


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("127.0.0.1:18001", "127.0.0.1", 18001),
        ("dns:///bossjy.example:443", "bossjy.example", 443),
        ("ipv6:[::1]:18001", "::1", 18001),
        ("bossjy.example", None, None),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", None, None),
        ("unix:/run/bossjy:1", None, None),
    ],
)
def test_the_address_in_a_target(target: str, host: str | None, port: int | None) -> None:
    expected = {} if host is None else {"server.address": host, "server.port": port}
    assert server_of(target) == expected


def all_below(spans: list[Span], parent: Span) -> Iterator[Span]:
    """The spans in a span, at any depth: statements of an import are in its stages."""
    for span in below(spans, parent):
        yield span
        yield from all_below(spans, span)


async def run_program(receiver: str, target: str, token: str) -> None:
    """Run the program, whose tracer provider is that of its process."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.client.traced_program", receiver, target),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await program.communicate(token.encode())
    assert program.returncode == 0, errors.decode()


async def test_one_trace_holds_client_server_and_statements(database_url: str, redis_url: str, tmp_path: Path) -> None:
    port = 0
    with otlp_receiver() as receiver:
        # The ratio is 0: the program's decision alone samples.
        traced = {"BOSSJY_OTLP_ENDPOINT": receiver.endpoint, "BOSSJY_TRACE_RATIO": "0"}
        async for service in serve(database_url, redis_url, tmp_path, **traced):
            await run_program(receiver.endpoint, service.address, service.token)
            port = service.settings.server.port
    roots = {span.name: span for span in receiver.spans if not span.parent_span_id}
    assert set(roots) == {"asynchronous", "synchronous"}
    codes: dict[str, list[Any]] = {}
    for name, root in roots.items():
        for client in below(receiver.spans, root):
            described = values(client)
            assert (client.kind, client.trace_id) == (CLIENT, root.trace_id)
            assert (described["rpc.system.name"], described["rpc.method"]) == ("grpc", client.name)
            assert (described["server.address"], described["server.port"]) == ("127.0.0.1", port)
            (server,) = below(receiver.spans, client)
            assert (server.kind, server.name, server.trace_id) == (SERVER, client.name, root.trace_id)
            assert values(server)["rpc.response.status_code"] == described["rpc.response.status_code"]
            assert client.start_time_unix_nano <= server.start_time_unix_nano
            systems = {values(span).get("db.system.name") for span in all_below(receiver.spans, server)}
            assert ("postgresql" in systems) == ("phone" not in server.name), server.name
            codes.setdefault(name, []).append((client.name.split("/")[1], described["rpc.response.status_code"]))
            failed = described["rpc.response.status_code"] != "OK"
            assert (described.get("error.type"), client.status.code) == (("NOT_FOUND", 2) if failed else (None, 0))
    assert codes["asynchronous"] == [
        ("GetContactStats", "OK"),
        ("StreamValidateNumbers", "OK"),
        ("CreateImport", "OK"),
        ("Upload", "OK"),
        ("ExportContacts", "OK"),
    ]
    assert codes["synchronous"] == [("GetMe", "OK"), ("ExportContacts", "OK"), ("GetContact", "NOT_FOUND")]
    assert "13800138000" not in str(receiver.spans)
    assert "8613911111111" not in str(receiver.spans)
