"""Log lines as a receiver of OTLP gets them on loopback; a slow or absent receiver costs lines, and no time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import grpc
import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy_server.config import read_settings
from bossjy_server.telemetry.logging import INFO, Log
from bossjy_server.telemetry.options import log_receiver
from bossjy_server.telemetry.shipping import Shipping
from bossjy_server.telemetry.tracing import resource_of
from tests.otlp import otlp_receiver, values
from tests.ports import free_port
from tests.service import EMAIL, serve

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NUMBER = "+8613800138000"
TRACES, LOGS, ALL = "http://traces:4317", "http://logs:4317", "http://all:4317"


@pytest.mark.parametrize(
    ("variables", "receiver"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ALL}, ""),
        ({"OTEL_LOGS_EXPORTER": "otlp"}, "http://localhost:4317"),
        ({"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": ALL, "BOSSJY_OTLP_ENDPOINT": TRACES}, ALL),
        ({"OTEL_LOGS_EXPORTER": "otlp", "BOSSJY_OTLP_ENDPOINT": TRACES}, TRACES),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": LOGS, "OTEL_EXPORTER_OTLP_ENDPOINT": ALL}, LOGS),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": LOGS, "OTEL_LOGS_EXPORTER": "none"}, ""),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": LOGS, "OTEL_SDK_DISABLED": "on"}, ""),
    ],
)
def test_the_variables_of_opentelemetry_name_the_receiver(variables: dict[str, str], receiver: str) -> None:
    settings = read_settings(variables)
    assert log_receiver(settings.log, settings.traces) == receiver


async def test_a_receiver_gets_the_lines_without_personal_data(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=contacts")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
    with otlp_receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_SERVICE_NAME": "contacts-eu",
        }
        async for service in serve(database_url, redis_url, tmp_path, **variables):
            stub = auth_service_pb2_grpc.AuthServiceStub(service.channel)
            await stub.GetMe(auth_service_pb2.GetMeRequest(), metadata=(*service.metadata, *metadata))
            contacts = contact_service_pb2_grpc.ContactServiceStub(service.channel)
            with pytest.raises(grpc.aio.AioRpcError):
                await contacts.GetContact(
                    contact_service_pb2.GetContactRequest(phone_number=NUMBER), metadata=service.metadata
                )
    # The end of the service sent what was queued.
    calls = {values(one)["method"]: one for one in receiver.records if one.body.string_value == "call"}
    line = calls["/bossjy.auth.v1.AuthService/GetMe"]
    described = values(line)
    assert (line.severity_text, line.trace_id.hex()) == ("INFO", TRACE)
    assert described["code"] == "OK"
    assert described["request_id"]
    assert described["tenant_id"] == service.tenant_id
    assert abs(line.time_unix_nano / 1e9 - time.time()) < 600
    assert values(calls["/bossjy.contacts.v1.ContactService/GetContact"])["code"] == "NOT_FOUND"
    assert {"serving", "draining", "stopped"} <= {one.body.string_value for one in receiver.records}
    assert receiver.services == {"contacts-eu"}
    assert {one["deployment.environment.name"] for one in receiver.resources} == {"test"}
    assert {one["x-team"] for one in receiver.metadata} == {"contacts"}
    shown = str(receiver.records)
    for personal in (NUMBER, NUMBER[3:], EMAIL, service.token, '"address"', "127.0.0.1:5"):
        assert personal not in shown, personal


def shipping(endpoint: str, lines: int, export_s: float = 5.0) -> Shipping:
    return Shipping(endpoint, resource_of("test"), lines, export_s=export_s)


async def test_a_receiver_that_does_not_answer_costs_lines_and_no_time() -> None:
    with otlp_receiver() as receiver:
        receiver.free.clear()
        log = Log(shipping=(sink := shipping(receiver.endpoint, 600)), flush_s=0.01)
        began = time.monotonic()
        for number in range(5000):
            log.write(INFO, "line", {"n": number})
        assert time.monotonic() - began < 5  # a wait for the receiver would take thirty seconds
        async with asyncio.timeout(30):
            while not sink.dropped:
                await asyncio.sleep(0.01)
        receiver.free.set()
        await asyncio.to_thread(log.close)
    # Each line was sent or counted as dropped.
    assert (sink.sent + sink.dropped, len(receiver.records)) == (5000, sink.sent)
    assert 0 < sink.sent <= 600 + 512


async def test_without_a_receiver_all_lines_are_dropped_and_the_end_is_bounded() -> None:
    sink = shipping(f"http://127.0.0.1:{free_port()}", 100, export_s=0.3)
    log = Log(shipping=sink, flush_s=0.01)
    for number in range(50):
        log.write(INFO, "line", {"n": number, "list": [1], "trace_id": ""})
    # A failure of the exporter is not sent: each would cause another.
    log.write(INFO, "failed", {"logger": "opentelemetry.exporter"})
    began = time.monotonic()
    await asyncio.to_thread(log.close)
    assert time.monotonic() - began < 10
    assert (sink.sent, sink.dropped) == (0, 50)
