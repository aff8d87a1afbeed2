"""The metrics endpoint: text over HTTP, a port that is taken."""

from __future__ import annotations

import urllib.request

import pytest

from bossjy_server.errors import StartError
from bossjy_server.storage.process import free_port
from bossjy_server.telemetry.metrics import MetricsEndpoint, new_registry


def test_metrics_are_served_until_closed() -> None:
    port = free_port()
    endpoint = MetricsEndpoint(new_registry(), "127.0.0.1", port)
    with pytest.raises(StartError, match="BOSSJY_METRICS_PORT"):
        MetricsEndpoint(new_registry(), "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert "process_resident_memory_bytes" in answer.read().decode()
    endpoint.close()
    MetricsEndpoint(new_registry(), "127.0.0.1", port).close()
