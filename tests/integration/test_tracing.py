"""Traces as a receiver gets them: spoken to by its real protocol, OTLP over gRPC, on loopback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy_server.app import running
from bossjy_server.config import read_settings
from bossjy_server.storage.process import free_port

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return pb.ExportTraceServiceResponse()


@pytest.mark.parametrize("case", [(0.0, "00", 0), (0.0, "01", 1), (1.0, None, 1)], ids=["not", "parent", "ratio"])
async def test_spans_follow_the_decision_of_their_parent(
    database_url: str, redis_url: str, tmp_path: Path, case: tuple[float, str | None, int]
) -> None:
    ratio, parent, wanted = case
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(1))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(receiver, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    settings = read_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BOSSJY_DATA_DIR": str(tmp_path / "data"),
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_LOG_CONSOLE": "off",
            "BOSSJY_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "BOSSJY_TRACE_RATIO": str(ratio),
        }
    )
    entries = (("traceparent", f"00-{TRACE}-{PARENT}-{parent}"), ("tracestate", "vendor=x1"))
    metadata = entries if parent else entries[1:]
    async with running(settings) as served, grpc.aio.insecure_channel(served.address) as channel:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        await stub.GetJwks(auth_service_pb2.GetJwksRequest(), metadata=metadata)
        if parent:  # a possible phone number is not kept
            numbered = (metadata[0], ("tracestate", "vendor=13800144001"))
            await stub.GetJwks(auth_service_pb2.GetJwksRequest(), metadata=numbered)
    # The end of the service sent what was queued.
    server.stop(1).wait()
    (tmp_path / "spans.log").write_text("\n".join(map(str, receiver.spans)), "utf-8")  # searched as the logs are
    assert [span.name for span in receiver.spans] == ["bossjy.auth.v1.AuthService/GetJwks"] * (
        2 * wanted if parent else wanted
    )
    assert [span.trace_state for span in receiver.spans[1:]] == [""] * (wanted if parent else 0)
    for span in receiver.spans[:1]:
        codes = [one.value for one in span.attributes if one.key == "rpc.grpc.status_code"]
        assert [(code.WhichOneof("value"), code.int_value) for code in codes] == [("int_value", 0)]
        assert span.trace_state == ("vendor=x1" if parent else "")
        if parent:
            assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
