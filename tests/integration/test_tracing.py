"""Traces as a receiver gets them: spoken to by its real protocol, OTLP over gRPC, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy_client import Client
from bossjy_server.app import running
from bossjy_server.config import read_settings
from tests.ports import free_port
from tests.service import serve

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
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
    metadata = (("traceparent", f"00-{TRACE}-{PARENT}-{parent}"), ("tracestate", "vendor=x1")) if parent else ()
    async with running(settings) as served, grpc.aio.insecure_channel(served.address) as channel:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        await stub.GetJwks(auth_service_pb2.GetJwksRequest(), metadata=metadata)
    # The end of the service sent what was queued.
    server.stop(1).wait()
    (tmp_path / "spans.log").write_text("\n".join(map(str, receiver.spans)), "utf-8")  # searched as the logs are
    assert [span.name for span in receiver.spans] == ["bossjy.auth.v1.AuthService/GetJwks"] * wanted
    for span in receiver.spans:
        attributes = values(span)
        assert attributes["rpc.response.status_code"] == "OK"
        assert (attributes["rpc.system.name"], attributes["rpc.method"]) == ("grpc", span.name)
        assert attributes["network.peer.address"] == attributes["server.address"] == "127.0.0.1"
        assert attributes["server.port"] == settings.server.port
        assert attributes["network.peer.port"]
        if parent:
            assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
            assert span.trace_state == "vendor=x1"


def values(span: Any) -> dict[str, str | int]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


Collected = tuple[Receiver, dict[str, str]]


@pytest.fixture
def collected() -> Iterator[Collected]:
    """A receiver, and the settings of a service that traces every call. OpenTelemetry's own variables name it."""
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(1))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(receiver, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield (
        receiver,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_TRACES_SAMPLER_ARG": "1",
            "OTEL_SERVICE_NAME": "contacts-eu",
        },
    )
    server.stop(1).wait()


def below(spans: list[Any], parent: Any) -> list[str]:
    """Names of the spans directly below a span, in their order."""
    found = [span for span in spans if span.parent_span_id == parent.span_id]
    return [span.name for span in sorted(found, key=lambda span: span.start_time_unix_nano)]


async def test_a_call_has_a_span_for_each_statement_and_each_use_of_redis(
    database_url: str, redis_url: str, tmp_path: Path, collected: Collected
) -> None:
    receiver, changed = collected
    async for service in serve(database_url, redis_url, tmp_path, **changed):
        stub = contact_service_pb2_grpc.ContactServiceStub(service.channel)
        await stub.GetContactStats(contact_service_pb2.GetContactStatsRequest(), metadata=service.metadata)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetContact(
                contact_service_pb2.GetContactRequest(phone_number="+8613800138000"), metadata=service.metadata
            )
        unknown: Any = service.channel.unary_unary("/bossjy.none.v1.None/None")
        with pytest.raises(grpc.aio.AioRpcError):
            await unknown(b"")
    assert receiver.services == {"contacts-eu"}
    spans = receiver.spans
    (stats,) = [span for span in spans if span.name.endswith("/GetContactStats")]
    children = below(spans, stats)
    assert children[0] == "MGET"
    assert children[1] == "BEGIN"
    assert "SELECT bossjy.contacts" in " ".join(children)
    assert children[-2:] == ["COMMIT", "SET"]
    for span in spans:
        if span.parent_span_id == stats.span_id:
            assert span.trace_id == stats.trace_id
            assert span.kind == span.SPAN_KIND_CLIENT
            assert values(span)["db.system.name"] == ("redis" if span.name in {"MGET", "SET"} else "postgresql")
            assert stats.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
            assert "8613800138000" not in str(span)
    # NOT_FOUND is an error of the caller, UNIMPLEMENTED one of the server.
    (missing,) = [span for span in spans if span.name.endswith("/GetContact")]
    assert values(missing)["rpc.response.status_code"] == "NOT_FOUND"
    assert missing.status.code == missing.status.STATUS_CODE_UNSET
    assert "error.type" not in values(missing)
    (stranger,) = [span for span in spans if values(span).get("rpc.method") == "_OTHER"]
    assert values(stranger)["error.type"] == values(stranger)["rpc.response.status_code"] == "UNIMPLEMENTED"
    assert stranger.status.code == stranger.status.STATUS_CODE_ERROR


async def test_an_import_has_a_span_for_each_stage(
    database_url: str, redis_url: str, tmp_path: Path, collected: Collected
) -> None:
    receiver, changed = collected
    async for service in serve(database_url, redis_url, tmp_path, **changed):
        async with await Client.connect(service.address, token=service.token) as client:
            done = await client.imports.upload_file(b"name,phone\nann,13800138000\n", region="CN")
            assert done.state == import_pb2.IMPORT_STATE_SUCCEEDED
    spans = receiver.spans
    (upload,) = [span for span in spans if span.name == "bossjy.imports.v1.ImportService/Upload"]
    stages = [name for name in below(spans, upload) if name.startswith("import.")]
    assert stages == ["import.open", "import.detect", "import.clean", "import.commit"]
    (commit,) = [span for span in spans if span.name == "import.commit"]
    assert values(commit)["rows"] == 1
    statements = below(spans, commit)
    assert statements[0] == "BEGIN"
    assert statements[-1] == "COMMIT"
    assert any("bossjy.contacts" in name for name in statements)
    assert "13800138000" not in str(spans)
