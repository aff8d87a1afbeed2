"""The metrics endpoint: Prometheus text at /metrics, from a thread of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bossjy_server.errors import StartError


def new_registry() -> CollectorRegistry:
    """A registry with what Python and the operating system tell of the process."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class MetricsEndpoint:
    """Serves `registry` over HTTP on `host:port` until closed. Raises StartError when the port cannot be had."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        try:
            self._server, self._thread = start_http_server(port, addr=host, registry=registry)
        except OSError as error:
            raise StartError(
                f"cannot serve metrics on {host}:{port} ({error.strerror}): "
                "stop the process that has the port, or set BOSSJY_METRICS_PORT to a free one"
            ) from error

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
