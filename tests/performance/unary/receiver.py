"""Receiver of traces that drops them, for measurements of a service that traces."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from bossjy_server.embedded.system import free_port


class TraceReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Receives spans and drops them."""

    def Export(self, request: Any, context: Any) -> Any:
        """One batch."""
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def trace_receiver() -> Iterator[str]:
    """A receiver of traces while the block runs; its address."""
    port = free_port()
    receiver = grpc.server(ThreadPoolExecutor(1))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(TraceReceiver(), receiver)
    receiver.add_insecure_port(f"127.0.0.1:{port}")
    receiver.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        receiver.stop(None)
