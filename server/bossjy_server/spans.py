"""Child spans of a sampled call: statements, Redis commands, stages of an import. A call that is not sampled has none.

`rpc` gives the context of a sampled call a tracer; its number of child spans is bounded. Without a tracer `begin` costs
a comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bossjy_server.context import call_or_none

_CONTEXT = TraceContextTextMapPropagator()


def begin(name: str, attributes: Mapping[str, str | int], kind: SpanKind = SpanKind.CLIENT) -> Span | None:
    """A span below the running one; None if the call is not sampled or has its full number of spans."""
    call = call_or_none()
    if call is None or call.tracer is None or call.spans_left <= 0:
        return None
    call.spans_left -= 1
    return call.tracer.start_span(name, kind=kind, attributes=dict(attributes))


def end(span: Span, error: BaseException | None = None) -> None:
    """End a span of `begin`. Of an error it gets the type, never the text, which may contain data."""
    if error is not None:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def traceparent() -> str:
    """The W3C entry of the running span; empty if the call is not sampled."""
    call = call_or_none()
    if call is None or call.tracer is None:
        return ""
    carrier: dict[str, str] = {}
    _CONTEXT.inject(carrier)
    return carrier.get("traceparent", "")


def link(parent: str, attributes: Mapping[str, str]) -> None:
    """Link the running span to another one, named by its W3C entry."""
    other = get_current_span(_CONTEXT.extract({"traceparent": parent}, Context())).get_span_context()
    if other.is_valid:
        get_current_span().add_link(other, dict(attributes))


@contextmanager
def stage(name: str, **attributes: str | int) -> Iterator[None]:
    """A span for a part of the call's own work. Spans that begin inside are below it."""
    span = begin(name, attributes, SpanKind.INTERNAL)
    if span is None:
        yield
        return
    try:
        with use_span(span, record_exception=False, set_status_on_exception=False):
            yield
    except BaseException as error:
        end(span, error)
        raise
    end(span)
