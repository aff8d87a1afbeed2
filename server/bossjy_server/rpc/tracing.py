"""Tracing: one span for each sampled call. The decision comes first, so an unsampled call costs a comparison."""

from __future__ import annotations

import random
import re
from urllib.parse import unquote

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span

from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.call import Status as CallStatus
from bossjy_server.rpc.method import Method
from bossjy_server.telemetry.tracing import parent_of

# W3C: version, trace, span, flags. A trace id is random, so it has letters; a padded phone number has few.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?=(?:[0-9]*[a-f]){4})[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")
# A possible phone number is not logged, although most such ids are random: the span names the call's request id.
_NUMBER = re.compile(r"[0-9]{10}")
# The codes that the conventions name as errors of a server. The others are errors of its caller.
_SERVER_ERRORS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})


def is_sampled(traceparent: str, ratio: float) -> bool:
    """The decision of the caller's trace; without one, true for a share `ratio` of the calls."""
    decided = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if decided is not None:
        return bool(int(decided[1], 16) & 1)
    return random.random() < ratio  # noqa: S311 - sampling, not a secret


def tracing_concern(tracer: Tracer | None, ratio: float = 1.0, address: str = "") -> Concern:
    """Trace calls; with no tracer this interceptor is not in the chain. `tracer` stores each span that it makes.

    Names and values are those of OpenTelemetry's conventions for gRPC. `address`: that of the server.
    """
    host, _, port = address.rpartition(":")
    server: dict[str, str | int] = (
        {"server.address": host.strip("[]"), "server.port": int(port)} if port.isdigit() else {}
    )

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if tracer is None:
            return proceed
        name = method.path[1:] if method.known else "_OTHER"
        attributes = {"rpc.system.name": "grpc", "rpc.method": name, **server}

        async def traced(call: Call, traceparent: str) -> None:
            known = _TRACEPARENT.fullmatch(traceparent) is not None
            parent = parent_of(call.metadata) if known else Context()
            token = attach(parent)  # its baggage stays with the call
            span = tracer.start_span(
                name if method.known else "grpc",
                kind=SpanKind.SERVER,
                attributes={**attributes, **_peer(call.peer), "bossjy.request_id": call.context.request_id},
            )
            trace_id = format(span.get_span_context().trace_id, "032x")
            if not known or _NUMBER.search(trace_id) is None:
                call.context.log["trace_id"] = call.context.trace_id = trace_id
            call.context.tracer = tracer
            try:
                with use_span(span, record_exception=False, set_status_on_exception=False):
                    await proceed(call)
            finally:
                _end(span, call.status)
                detach(token)

        async def tracing(call: Call) -> None:
            traceparent = call.metadata.get("traceparent", "")
            if is_sampled(traceparent, ratio):
                await traced(call, traceparent)
            else:
                await proceed(call)

        return tracing

    return wrap


def _peer(peer: str) -> dict[str, str | int]:
    """The address of the connection's other end: `ipv4:127.0.0.1:5000`."""
    kind, _, rest = peer.partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return {"network.transport": "unix"}
    host, _, port = unquote(rest).rpartition(":")
    return {"network.peer.address": host.strip("[]"), "network.peer.port": int(port) if port.isdigit() else 0}


def _end(span: Span, status: CallStatus) -> None:
    span.set_attribute("rpc.response.status_code", status.code)
    if status.code in _SERVER_ERRORS:
        span.set_attribute("error.type", status.code)
        span.set_status(Status(StatusCode.ERROR, status.reason))
    span.end()
