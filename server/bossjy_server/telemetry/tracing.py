"""OpenTelemetry traces, sent by OTLP if an endpoint is set."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
_ENTRIES = ("traceparent", "tracestate", "baggage")


def resource_of(service: str) -> Resource:
    """The description of this service that its spans and log lines carry. The SDK adds OTEL_RESOURCE_ATTRIBUTES."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as in Tracing

    return Resource.create({"service.name": service, "service.version": version("bossjy-server")})


class Tracing:
    """A tracer and its resources to close. It keeps every span: its caller decides which calls are traced.

    The SDK itself reads the other variables that it defines: OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS …
    """

    def __init__(self, endpoint: str, service: str = "bossjy") -> None:
        # The SDK and the exporter take 0.1 s to load: only where an endpoint is set.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415

        self._provider = TracerProvider(resource=resource_of(service), sampler=ALWAYS_ON)
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=5)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=4096, max_export_batch_size=512, export_timeout_millis=5000)
        )
        self.tracer: Tracer = self._provider.get_tracer("bossjy")

    def close(self) -> None:
        """Send the queue, for at most some seconds, and end."""
        self._provider.shutdown()


def parent_of(metadata: Mapping[str, str]) -> Context:
    """The context of the W3C entries `traceparent`, `tracestate` and `baggage`; an empty one if it cannot be read."""
    entries = {name: metadata[name] for name in _ENTRIES if name in metadata}
    return _PROPAGATOR.extract(entries, context=Context())
