"""Counts and times calls, under the names that gRPC dashboards know."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.method import Method

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_LABELS = ("grpc_type", "grpc_service", "grpc_method")


class CallMetrics:
    """The metrics of the chain, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Counter("grpc_server_started", "Calls begun.", _LABELS, registry=registry)
        self._handled = Counter(
            "grpc_server_handled", "Calls ended, by status.", (*_LABELS, "grpc_code"), registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Time of unary calls.",
            _LABELS,
            buckets=_BUCKETS,
            registry=registry,
        )
        self._running = Gauge("bossjy_calls_running", "Calls in flight.", registry=registry)

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Count every call, however it ends; time unary ones (a stream's length says nothing)."""
        labels = (method.grpc_type, method.service, method.name)
        started, seconds = self._started.labels(*labels), self._seconds.labels(*labels)
        running, unary = self._running, method.grpc_type == "unary"
        handled = {"OK": self._handled.labels(*labels, "OK")}

        async def metrics(call: Call) -> None:
            started.inc()
            running.inc()
            try:
                await proceed(call)
            finally:
                running.dec()
                code = call.status.code
                counter = handled.get(code)
                if counter is None:
                    counter = handled[code] = self._handled.labels(*labels, code)
                counter.inc()
                if unary:
                    seconds.observe(time.monotonic() - call.started)

        return metrics
