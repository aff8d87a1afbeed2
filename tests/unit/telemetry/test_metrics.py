"""The metrics endpoint: text over HTTP, a port that is taken."""

from __future__ import annotations

import pytest

from bossjy_server.errors import StartError
from bossjy_server.storage.process import free_port
from bossjy_server.telemetry.metrics import MetricsEndpoint, new_registry
from tests import metrics


def test_metrics_are_served_until_closed() -> None:
    port = free_port()
    endpoint = MetricsEndpoint(new_registry(), "127.0.0.1", port)
    with pytest.raises(StartError, match="BOSSJY_METRICS_PORT"):
        MetricsEndpoint(new_registry(), "127.0.0.1", port)
    assert metrics.value(port, "process_resident_memory_bytes") > 0
    endpoint.close()
    MetricsEndpoint(new_registry(), "127.0.0.1", port).close()
