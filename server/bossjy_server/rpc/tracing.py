"""Tracing: one span for each sampled call. The decision comes first, so an unsampled call costs a comparison."""

from __future__ import annotations

import random
import re

import grpc
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.telemetry.tracing import parent_of

# W3C: version, trace, span, flags. A trace id is random, so it has letters; a padded phone number has few.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?=(?:[0-9]*[a-f]){4})[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")
# A possible phone number is not logged, although most such ids are random: the span names the call's request id.
_NUMBER = re.compile(r"[0-9]{10}")
# Characters of a `tracestate` that is kept, as W3C asks for.
_STATE_MAX = 512


def is_sampled(traceparent: str, ratio: float) -> bool:
    """The decision of the caller's trace; without one, true for a share `ratio` of the calls."""
    decided = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if decided is not None:
        return bool(int(decided[1], 16) & 1)
    return random.random() < ratio  # noqa: S311 - sampling, not a secret


def tracing_concern(tracer: Tracer | None, ratio: float = 1.0) -> Concern:
    """Trace calls; with no tracer this interceptor is not in the chain. `tracer` stores each span that it makes."""

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if tracer is None:
            return proceed
        name = method.path[1:]
        attributes = {"rpc.system": "grpc", "rpc.service": method.service, "rpc.method": method.name}

        async def traced(call: Call, traceparent: str) -> None:
            state = call.metadata.get("tracestate", "")
            state = state if len(state) <= _STATE_MAX and _NUMBER.search(state) is None else ""
            parent = parent_of(traceparent, state) if _TRACEPARENT.fullmatch(traceparent) else None
            with tracer.start_as_current_span(
                name, context=parent, kind=SpanKind.SERVER, attributes=attributes, record_exception=False
            ) as span:
                trace_id = format(span.get_span_context().trace_id, "032x")
                if parent is None or _NUMBER.search(trace_id) is None:
                    call.context.log["trace_id"] = trace_id
                span.set_attribute("bossjy.request_id", call.context.request_id)
                await proceed(call)
                code: int = grpc.StatusCode[call.status.code].value[0]
                span.set_attribute("rpc.grpc.status_code", code)
                if call.status.code in ("INTERNAL", "UNKNOWN", "DATA_LOSS"):
                    span.set_status(Status(StatusCode.ERROR, call.status.reason))

        async def tracing(call: Call) -> None:
            traceparent = call.metadata.get("traceparent", "")
            if is_sampled(traceparent, ratio):
                await traced(call, traceparent)
            else:
                await proceed(call)

        return tracing

    return wrap
