"""OpenTelemetry traces, sent by OTLP if an endpoint is set."""

from __future__ import annotations

from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """A tracer and its resources to close. It keeps every span: its caller decides which calls are traced."""

    def __init__(self, endpoint: str) -> None:
        resource = Resource.create({"service.name": "bossjy", "service.version": version("bossjy-server")})
        self._provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=5)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=4096, max_export_batch_size=512, export_timeout_millis=5000)
        )
        self.tracer: Tracer = self._provider.get_tracer("bossjy")

    def close(self) -> None:
        """Send the queue, for at most some seconds, and end."""
        self._provider.shutdown()


def parent_of(traceparent: str, tracestate: str = "") -> Context:
    """The context of W3C's `traceparent` and `tracestate` entries; an empty one if they cannot be read."""
    return _PROPAGATOR.extract({"traceparent": traceparent, "tracestate": tracestate})
