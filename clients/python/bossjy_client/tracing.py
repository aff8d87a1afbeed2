"""Client spans of calls, by OpenTelemetry's conventions for gRPC, if the program itself uses OpenTelemetry.

The package is never imported here: a program that traces has imported it. The program's tracer provider decides which
spans are recorded and exported, its propagator what is sent. Requests and answers are never attributes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import grpc

Attributes = dict[str, str | int]


def server_of(target: str) -> Attributes:
    """The address in a gRPC target; nothing for a list of addresses or a socket of this machine."""
    authority = target.rpartition("/")[2]
    for scheme in ("dns:", "ipv4:", "ipv6:"):
        authority = authority.removeprefix(scheme)
    host, _, port = authority.rpartition(":")
    if target.startswith("unix") or "," in authority or not port.isdigit() or not host:
        return {}
    return {"server.address": host.strip("[]"), "server.port": int(port)}


def traced(method: Callable[..., Any], path: str, server: Attributes, args: Any, options: dict[str, Any]) -> Any:
    """Make a call below a span of its own, which it ends. `path`: /package.Service/Method."""
    trace = sys.modules.get("opentelemetry.trace")
    metadata = options.get("metadata") or ()
    # A caller that gives a context of its own traces the call itself.
    if trace is None or any(key == "traceparent" for key, _ in metadata):
        return method(*args, **options)
    name = path.removeprefix("/")
    span = trace.get_tracer("bossjy_client").start_span(
        name, kind=trace.SpanKind.CLIENT, attributes={"rpc.system.name": "grpc", "rpc.method": name, **server}
    )
    try:
        call = method(*args, **options | {"metadata": (*metadata, *_context_of(trace, span))})
    except BaseException as error:
        _fail(trace, span, type(error).__qualname__)
        span.end()
        raise
    if span.is_recording():
        call.add_done_callback(partial(_end, trace, span))
    return call


def _context_of(trace: Any, span: Any) -> list[tuple[str, str]]:
    """Metadata of a span by the propagator of the program: `traceparent`, `tracestate`, `baggage`."""
    if not span.get_span_context().is_valid:
        return []
    from opentelemetry import propagate  # noqa: PLC0415 - the program has the package

    carrier: dict[str, str] = {}
    propagate.inject(carrier, trace.set_span_in_context(span))
    return [(key.lower(), value) for key, value in carrier.items()]


def _end(trace: Any, span: Any, call: Any) -> None:
    """End the span of an ended call. A call that this program cancelled is no error."""
    code = _at_once(call.code())
    if code is not None:
        span.set_attribute("rpc.response.status_code", code.name)
        if code is not grpc.StatusCode.OK and not call.cancelled():
            _fail(trace, span, code.name)
    span.end()


def _fail(trace: Any, span: Any, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(trace.Status(trace.StatusCode.ERROR))


def _at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that need not wait, as the status of an ended call; None if it would wait."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    return None
