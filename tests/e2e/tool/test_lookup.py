"""`bossjy phone lookup` against a server that asks a provider on loopback, and one that asks none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeServer, on_parts, register
from tests.e2e.tool.conftest import Run, objects, run_tool

pytestmark = pytest.mark.timeout(240)


class Provider(BaseHTTPRequestHandler):
    """Knows one number."""

    def do_GET(self) -> None:
        known = "13800138000" in self.path
        body = json.dumps({"carrier": "月 Mobile", "line_status": "active", "ported": False}).encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        """Nothing: it would stand among the tests' output."""


@pytest.fixture
def provider() -> Iterator[str]:
    """Its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{{e164}}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_lookup(make_server: MakeServer, database_url: str, redis_url: str, provider: str, tmp_path: Path) -> None:
    server = make_server(**on_parts(database_url, redis_url), BOSSJY_LOOKUP_URL=provider)
    server.start()
    token = register(server.target).token
    bossjy = partial(run_tool, tmp_path, BOSSJY_TOKEN=token, BOSSJY_TARGET=server.target)

    shown = bossjy("phone", "lookup", "138 0013 8000", "--region", "CN").stdout
    for part in ("FOUND", "+8613800138000", "月 Mobile", "active", "ported", "no"):
        assert part in shown
    (answer,) = objects(bossjy("phone", "lookup", "+8613800138000", "--json"))
    assert (answer["outcome"], answer["carrier"]) == ("LOOKUP_OUTCOME_FOUND", "月 Mobile")
    assert "UNKNOWN" in bossjy("phone", "lookup", "+8613800138001", code=6).stdout
    assert "NOT_VALID" in bossjy("phone", "lookup", "nonsense", code=6).stdout


def test_without_a_provider(run: Run) -> None:
    refused = run("phone", "lookup", "+8613800138000", "--json", code=4)
    assert json.loads(refused.stderr)["error"]["reason"] == "LOOKUP_NOT_CONFIGURED"
