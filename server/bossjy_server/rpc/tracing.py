"""One span for each sampled call. The decision comes before the span, so an unsampled call costs a comparison."""

from __future__ import annotations

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.telemetry.tracing import parent_of


def tracing_concern(tracer: Tracer | None) -> Concern:
    """Trace calls; with no tracer the concern leaves no trace in the chain either."""

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if tracer is None:
            return proceed
        name = method.path[1:]
        attributes = {"rpc.system": "grpc", "rpc.service": method.service, "rpc.method": method.name}

        async def tracing(call: Call) -> None:
            offered = call.metadata.get("traceparent")
            parent = parent_of(offered[0]) if offered else None
            with tracer.start_as_current_span(
                name, context=parent, kind=SpanKind.SERVER, attributes=attributes, record_exception=False
            ) as span:
                if span.is_recording():
                    call.context.log["trace_id"] = format(span.get_span_context().trace_id, "032x")
                await proceed(call)
                if span.is_recording():
                    span.set_attribute("rpc.grpc.status_code", call.status.code)
                    if call.status.code in ("INTERNAL", "UNKNOWN", "DATA_LOSS"):
                        span.set_status(Status(StatusCode.ERROR, call.status.reason))

        return tracing

    return wrap
