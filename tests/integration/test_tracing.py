"""Traces as a receiver gets them: spoken to by its real protocol, OTLP over gRPC, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy_client import Client
from bossjy_server.app import running
from bossjy_server.config import read_settings
from tests.otlp import Receiver, below, otlp_receiver, values
from tests.ports import free_port
from tests.service import serve

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("case", [(0.0, "00", 0), (0.0, "01", 1), (1.0, None, 1)], ids=["not", "parent", "ratio"])
async def test_spans_follow_the_decision_of_their_parent(
    database_url: str, redis_url: str, tmp_path: Path, case: tuple[float, str | None, int]
) -> None:
    ratio, parent, wanted = case
    variables = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BOSSJY_DATA_DIR": str(tmp_path / "data"),
        "BOSSJY_PORT": str(free_port()),
        "BOSSJY_METRICS_PORT": "0",
        "BOSSJY_LOG_CONSOLE": "off",
        "BOSSJY_TRACE_RATIO": str(ratio),
    }
    metadata = (("traceparent", f"00-{TRACE}-{PARENT}-{parent}"), ("tracestate", "vendor=x1")) if parent else ()
    with otlp_receiver() as receiver:
        settings = read_settings(variables | {"BOSSJY_OTLP_ENDPOINT": receiver.endpoint})
        async with running(settings) as served, grpc.aio.insecure_channel(served.address) as channel:
            stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
            await stub.GetJwks(auth_service_pb2.GetJwksRequest(), metadata=metadata)
        # The end of the service sent what was queued.
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


Collected = tuple[Receiver, dict[str, str]]


@pytest.fixture
def collected() -> Iterator[Collected]:
    """A receiver, and the settings of a service that traces every call. OpenTelemetry's own variables name it."""
    with otlp_receiver() as receiver:
        yield (
            receiver,
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_TRACES_SAMPLER_ARG": "1",
                "OTEL_SERVICE_NAME": "contacts-eu",
            },
        )


def names_below(spans: list[Any], parent: Any) -> list[str]:
    """Names of the spans directly below a span, in their order."""
    return [span.name for span in below(spans, parent)]


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
    children = names_below(spans, stats)
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


# The spans of an import's stages, with the statements that each must have among others.
STAGES = {
    "import.open": ("BEGIN", "UPDATE bossjy.import_parts", "SELECT bossjy.imports", "COMMIT"),
    "import.detect": (),
    "import.resolve": ("BEGIN", "UPDATE bossjy.imports", "UPDATE bossjy.import_parts", "COMMIT"),
    "import.clean": (),
    "import.commit": ("BEGIN", "COPY pg_temp.bossjy_staged", "UPDATE bossjy.import_parts", "COMMIT"),
    "import.finish": ("BEGIN", "SELECT bossjy.imports", "COMMIT"),
}


async def test_one_trace_of_an_import_span_by_span(
    database_url: str, redis_url: str, tmp_path: Path, collected: Collected
) -> None:
    receiver, changed = collected
    done = import_pb2.Import()
    async for service in serve(database_url, redis_url, tmp_path, **changed):
        async with await Client.connect(service.address, token=service.token) as client:
            done = await client.imports.upload_file(b"name,phone\nann,13800138000\n", region="CN")
            assert done.state == import_pb2.IMPORT_STATE_SUCCEEDED
    spans = receiver.spans
    (created,) = [span for span in spans if span.name == "bossjy.imports.v1.ImportService/CreateImport"]
    (upload,) = [span for span in spans if span.name == "bossjy.imports.v1.ImportService/Upload"]
    assert (upload.kind, upload.parent_span_id) == (upload.SPAN_KIND_SERVER, b"")
    assert values(upload)["rpc.response.status_code"] == "OK"
    # The stream may come days after the call that created its import, in another trace.
    (link,) = upload.links
    assert (link.trace_id, link.span_id) == (created.trace_id, created.span_id)
    assert values(link) == {"bossjy.import_id": done.import_id}
    assert created.trace_id != upload.trace_id
    stages = [span for span in below(spans, upload) if span.name.startswith("import.")]
    assert [span.name for span in stages] == list(STAGES)
    for stage in stages:
        assert (stage.kind, stage.trace_id) == (stage.SPAN_KIND_INTERNAL, upload.trace_id)
        assert upload.start_time_unix_nano <= stage.start_time_unix_nano
        assert stage.end_time_unix_nano <= upload.end_time_unix_nano
        statements = below(spans, stage)
        names = [span.name for span in statements]
        assert set(STAGES[stage.name]) <= set(names), stage.name
        assert bool(names) == bool(STAGES[stage.name])
        for statement in statements:
            assert values(statement)["db.system.name"] == "postgresql"
            assert values(statement)["db.query.summary"] == statement.name
            assert stage.start_time_unix_nano <= statement.start_time_unix_nano
            assert statement.end_time_unix_nano <= stage.end_time_unix_nano
    by_name = {span.name: values(span) for span in stages}
    assert (by_name["import.open"]["part"], by_name["import.commit"]["rows"]) == (0, 1)
    # No span is an orphan, and each has ended.
    ids = {span.span_id for span in spans}
    assert all(span.parent_span_id in ids for span in spans if span.parent_span_id)
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans)
    assert "13800138000" not in str(spans)


async def test_without_redis_an_upload_has_no_link(database_url: str, tmp_path: Path, collected: Collected) -> None:
    receiver, changed = collected
    async for service in serve(database_url, f"redis://127.0.0.1:{free_port()}", tmp_path, **changed):
        async with await Client.connect(service.address, token=service.token) as client:
            done = await client.imports.upload_file(b"name,phone\nann,13800138000\n", region="CN")
            assert done.state == import_pb2.IMPORT_STATE_SUCCEEDED
    (upload,) = [span for span in receiver.spans if span.name.endswith("/Upload")]
    assert not upload.links
