"""Metrics of calls: codes from zero, the class of each method, and exemplars that name the trace of a call."""

from __future__ import annotations

import re
import time

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from bossjy.auth.v1 import auth_service_pb2
from bossjy_server.context import CallContext
from bossjy_server.rpc.call import Call, Status
from bossjy_server.rpc.method import methods_of
from bossjy_server.rpc.metrics import CallMetrics

METHODS = {one.name: one for one in methods_of(auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"])}
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def send(_: bytes) -> None:
    """Send nothing."""


def call_of(name: str, trace_id: str = "") -> Call:
    context = CallContext("ab12-1", METHODS[name].path, trace_id=trace_id)
    return Call(METHODS[name], context, {}, frozenset(), b"", None, send, time.monotonic())


async def refuse(call: Call) -> None:
    call.status = Status("PERMISSION_DENIED")


def value(registry: CollectorRegistry, method: str, code: str) -> float | None:
    labels = {"grpc_type": "unary", "grpc_service": "bossjy.auth.v1.AuthService", "grpc_method": method}
    return registry.get_sample_value("grpc_server_handled_total", {**labels, "grpc_code": code})


async def test_codes_of_alerts_begin_at_zero() -> None:
    registry = CollectorRegistry()
    metrics = CallMetrics(registry)
    proceed = metrics.concern(METHODS["GetMe"], refuse)
    metrics.concern(METHODS["Login"], refuse)
    for code in ("OK", "INTERNAL", "UNKNOWN", "UNAVAILABLE", "DATA_LOSS"):
        assert value(registry, "GetMe", code) == 0
    assert value(registry, "Login", "UNAUTHENTICATED") == 0  # BossJyLoginsRefused
    assert value(registry, "GetMe", "UNAUTHENTICATED") is None
    await proceed(call_of("GetMe"))
    assert value(registry, "GetMe", "PERMISSION_DENIED") == 1
    labels = {"grpc_service": "bossjy.auth.v1.AuthService", "grpc_method": "Login", "class": "login"}
    assert registry.get_sample_value("bossjy_method_class", labels) == 1


async def test_a_bucket_names_the_trace_of_its_last_traced_call() -> None:
    registry = CollectorRegistry()
    proceed = CallMetrics(registry).concern(METHODS["GetMe"], refuse)
    for trace_id in ("", TRACE, ""):
        await proceed(call_of("GetMe", trace_id))
    encode, _ = choose_encoder("application/openmetrics-text; version=1.0.0")
    text = encode(registry).decode()
    assert re.findall(r'# {trace_id="(\w+)"} [0-9.e-]+ [0-9.]+$', text, re.MULTILINE) == [TRACE]
