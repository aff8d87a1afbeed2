"""Options of one call, its trace context, and the failures of calls."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client import (
    AsyncClient,
    ClientConfig,
    CredentialsError,
    InvalidRequestError,
    SyncClient,
    UnavailableError,
)
from tests.unit.client.conftest import Start
from tests.unit.client.double import Context

SERVICE = "bossjy.phone.v1.PhoneService"


@dataclass
class Recorder:
    """Answers each call after `wait_s`, and keeps its metadata and its time left."""

    wait_s: float = 0.0
    metadata: list[dict[str, Any]] = field(default_factory=list)
    left_s: list[float | None] = field(default_factory=list)

    def add_to(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, Any] = {
            "ValidateNumber": grpc.unary_unary_rpc_method_handler(
                self._one, pb.ValidateNumberRequest.FromString, pb.ValidateNumberResponse.SerializeToString
            ),
            "BatchValidateNumbers": grpc.unary_unary_rpc_method_handler(
                self._batch,
                pb.BatchValidateNumbersRequest.FromString,
                pb.BatchValidateNumbersResponse.SerializeToString,
            ),
            "StreamValidateNumbers": grpc.stream_stream_rpc_method_handler(
                self._stream,
                pb.StreamValidateNumbersRequest.FromString,
                pb.StreamValidateNumbersResponse.SerializeToString,
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def _note(self, context: Context) -> None:
        self.metadata.append(dict(context.invocation_metadata() or ()))
        self.left_s.append(context.time_remaining())
        await asyncio.sleep(self.wait_s)

    async def _one(self, request: pb.ValidateNumberRequest, context: Context) -> pb.ValidateNumberResponse:
        await self._note(context)
        return pb.ValidateNumberResponse(valid=True)

    async def _batch(
        self, request: pb.BatchValidateNumbersRequest, context: Context
    ) -> pb.BatchValidateNumbersResponse:
        await self._note(context)
        return pb.BatchValidateNumbersResponse(results=[pb.ValidateNumberResponse() for _ in request.phone_numbers])

    async def _stream(self, requests: Any, context: Context) -> AsyncIterator[pb.StreamValidateNumbersResponse]:
        await self._note(context)
        async for _ in requests:
            yield pb.StreamValidateNumbersResponse()


async def batches() -> AsyncIterator[Sequence[str]]:
    yield ["1"]


# A unary method, an iterator of unary calls, and a stream.
CALLS: dict[str, Callable[..., Any]] = {
    "unary": lambda client, **options: client.phone.validate("1", **options),
    "iterator": lambda client, **options: gather(client.phone.validate_many(["1"], **options)),
    "stream": lambda client, **options: gather(client.phone.validate_stream(batches(), **options)),
}


async def gather(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


@pytest.mark.parametrize("call", CALLS)
async def test_each_kind_of_method_takes_the_options(start: Start, quick: ClientConfig, call: str) -> None:
    server = Recorder()
    running = await start(server.add_to)
    async with await AsyncClient.connect(running.target, token="key", config=quick) as client:
        await CALLS[call](
            client, timeout=100, metadata=[("x-team", "blue"), ("raw-bin", b"\xff")], request_id="order-check-a"
        )
        await CALLS[call](client, metadata={"x-team": "red"})
        await CALLS[call](client)
    first, second, third = server.metadata
    assert (first["x-team"], first["raw-bin"], first["x-request-id"]) == ("blue", b"\xff", "order-check-a")
    assert first["authorization"] == third["authorization"] == "Bearer key"
    assert server.left_s[0] is not None
    assert 60 < server.left_s[0] < 105  # gRPC rounds up
    assert (second["x-team"], "x-request-id" in second, "x-team" in third) == ("red", False, False)


@pytest.mark.parametrize("call", CALLS)
async def test_a_timeout_ends_each_kind_of_method(start: Start, quick: ClientConfig, call: str) -> None:
    running = await start(Recorder(wait_s=60).add_to)
    async with await AsyncClient.connect(running.target, config=quick) as client:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="give it a longer timeout") as caught:
            await CALLS[call](client, timeout=0.2)
        assert caught.value.code == "DEADLINE_EXCEEDED"
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("call", CALLS)
async def test_a_server_that_is_gone_is_named(start: Start, quick: ClientConfig, call: str) -> None:
    running = await start(Recorder().add_to)
    async with await AsyncClient.connect(running.target, config=quick) as client:
        await running.server.stop(None)
        with pytest.raises(UnavailableError, match=f"no connection to {running.target}: the connection is refused"):
            await CALLS[call](client, timeout=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": "5"}, "timeout is '5'"),
        ({"metadata": {"X-Team": "a"}}, "metadata key 'X-Team'"),
        ({"metadata": {"grpc-timeout": "1"}}, "metadata key 'grpc-timeout'"),
        ({"metadata": {"x-team": "a\nb"}}, "metadata x-team: its value must be printable ASCII"),
        ({"metadata": {"x-bin": "a"}}, "metadata x-bin: its value must be bytes"),
        ({"request_id": "a\n"}, "metadata x-request-id"),
    ],
)
async def test_options_that_cannot_be_sent(
    start: Start, quick: ClientConfig, options: dict[str, Any], message: str
) -> None:
    running = await start(Recorder().add_to)
    async with await AsyncClient.connect(running.target, config=quick) as client:
        for call in CALLS.values():
            with pytest.raises(InvalidRequestError, match=message):
                await call(client, **options)


async def test_a_token_with_a_line_end(start: Start, quick: ClientConfig) -> None:
    server = Recorder()
    running = await start(server.add_to)
    async with await AsyncClient.connect(running.target, token="key\n", config=quick) as client:
        await client.phone.validate("1")
    assert server.metadata[0]["authorization"] == "Bearer key"
    async with await AsyncClient.connect(running.target, token="ke\ny", config=quick) as client:
        with pytest.raises(CredentialsError, match="copy it again, as one line"):
            await client.phone.validate("1")


@pytest.mark.parametrize("call", CALLS)
async def test_the_active_span_is_sent(start: Start, quick: ClientConfig, call: str) -> None:
    server = Recorder()
    running = await start(server.add_to)
    tracer = TracerProvider().get_tracer("test")
    async with await AsyncClient.connect(running.target, config=quick) as client:
        await CALLS[call](client)
        with tracer.start_as_current_span("work") as span:
            await CALLS[call](client)
            await CALLS[call](client, metadata={"traceparent": "own"})
        state = trace.TraceState([("vendor", "x1")])
        context = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=state)
        with trace.use_span(trace.NonRecordingSpan(context)):
            await CALLS[call](client)
    without, inside, own, remote = server.metadata
    ids = span.get_span_context()
    assert "traceparent" not in without
    assert inside["traceparent"] == f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
    assert own["traceparent"] == "own"
    assert (remote["traceparent"], remote["tracestate"]) == (f"00-{1:032x}-{2:016x}-01", "vendor=x1")


async def test_the_span_of_a_synchronous_caller_is_sent(start: Start, quick: ClientConfig) -> None:
    server = Recorder()
    running = await start(server.add_to)

    def run() -> int:
        with SyncClient.connect(running.target, config=quick) as client:
            with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
                client.phone.validate("1")
                list(client.phone.validate_many(["1"]))
            return span.get_span_context().trace_id

    trace_id = await asyncio.to_thread(run)
    assert [f"-{trace_id:032x}-" in one["traceparent"] for one in server.metadata] == [True, True]


async def test_values_of_another_type_are_named(start: Start, quick: ClientConfig) -> None:
    running = await start(Recorder().add_to)
    async with await AsyncClient.connect(running.target, config=quick) as client:
        anything: Any = client
        with pytest.raises(InvalidRequestError, match="validate: a value has a wrong type: phone_number is int"):
            await anything.phone.validate(138)
        with pytest.raises(InvalidRequestError, match="row 1 of the column is int"):
            await gather(anything.phone.validate_many(["138", 138]))
        assert len(await gather(anything.phone.validate_many(["138", None, float("nan")]))) == 3
        with pytest.raises(TypeError, match="unexpected keyword"):
            await anything.phone.validate("1", region_kode="CN")


def test_tracing_is_not_imported() -> None:
    program = "import sys, bossjy_client; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
