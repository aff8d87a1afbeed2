"""Receiver of OTLP over gRPC on loopback: spans and log records, by the real protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """The spans and log records so far, and what named their senders. `hold` cleared: log records are not accepted."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.records: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.metadata: list[dict[str, str]] = []
        self.services: set[str] = set()
        self.free = threading.Event()
        self.free.set()
        self.port = 0

    def Export(self, request: Any, context: Any) -> Any:
        """Spans."""
        for resource in request.resource_spans:
            self._note(resource, context)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def take_logs(self, request: Any, context: Any) -> Any:
        """Log records."""
        self.free.wait(30)
        for resource in request.resource_logs:
            self._note(resource, context)
            for scope in resource.scope_logs:
                self.records += scope.log_records
        return logs_service_pb2.ExportLogsServiceResponse()

    def _note(self, resource: Any, context: Any) -> None:
        named = {one.key: one.value.string_value for one in resource.resource.attributes}
        self.resources.append(named)
        self.services.add(named["service.name"])
        self.metadata.append({one.key: one.value for one in context.invocation_metadata()})

    @property
    def endpoint(self) -> str:
        """The address, as the settings of a service name it."""
        return f"http://127.0.0.1:{self.port}"


class _Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        """Log records."""
        return self._receiver.take_logs(request, context)


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """Receive until the block ends."""
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(2))
    add_traces: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add_logs: Any = logs_service_pb2_grpc.add_LogsServiceServicer_to_server
    add_traces(receiver, server)
    add_logs(_Logs(receiver), server)
    receiver.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield receiver
    finally:
        receiver.free.set()
        server.stop(1).wait()


def values(span: Any) -> dict[str, str | int]:
    """The attributes of a span or a log record, by their names."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def below(spans: list[Any], parent: Any) -> list[Any]:
    """The spans directly below a span, in their order."""
    found = [span for span in spans if span.parent_span_id == parent.span_id]
    return sorted(found, key=lambda span: span.start_time_unix_nano)
