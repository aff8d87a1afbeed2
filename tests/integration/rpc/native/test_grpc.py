"""gRPC on the native front end, below the methods: compression, streams, cancellation, trailers, reflection."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.service import Service
from tests.statements.conftest import refusal

pytestmark = pytest.mark.asyncio(loop_scope="package")
PHONE = "/bossjy.phone.v1.PhoneService"
WATCH = "/grpc.health.v1.Health/Watch"
REQUEST = pb.ValidateNumberRequest(phone_number="+8613800138000").SerializeToString()


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_messages_are_read(native: Service, compression: grpc.Compression) -> None:
    async with grpc.aio.insecure_channel(native.address, compression=compression) as channel:
        call: Any = channel.unary_unary(f"{PHONE}/BatchValidateNumbers")
        # Long enough to be compressed.
        numbers = ["+8613800138000"] * 200
        asked = pb.BatchValidateNumbersRequest(phone_numbers=numbers).SerializeToString()
        raw = await call(asked, metadata=native.metadata, timeout=20)
    assert len(pb.BatchValidateNumbersResponse.FromString(raw).results) == len(numbers)


async def test_a_compressed_message_is_measured_unpacked(native: Service) -> None:
    asked = pb.ValidateNumberRequest(phone_number="1" * (9 * 1024 * 1024)).SerializeToString()
    async with grpc.aio.insecure_channel(native.address, compression=grpc.Compression.Gzip) as channel:
        call: Any = channel.unary_unary(f"{PHONE}/ValidateNumber")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(asked, metadata=native.metadata, timeout=20)
    assert refusal(caught.value).code == "RESOURCE_EXHAUSTED"


async def test_both_directions_of_a_stream_are_open_at_once(native: Service) -> None:
    call: Any = native.channel.stream_stream(f"{PHONE}/StreamValidateNumbers")
    stream = call(metadata=native.metadata, timeout=30)
    for number in range(3):
        texts = pb.NumberTexts(phone_numbers=["+8613800138000"] * (number + 1))
        asked = pb.StreamValidateNumbersRequest(sequence=number, texts=texts)
        await stream.write(asked.SerializeToString())
        answer = pb.StreamValidateNumbersResponse.FromString(await stream.read())
        assert (answer.sequence, answer.WhichOneof("output")) == (number, "columns")
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK
    assert dict(await stream.trailing_metadata())["x-request-id"]


async def test_a_cancelled_stream_ends_its_handler(native: Service) -> None:
    async def watch() -> tuple[Any, bool]:
        opened: Any = native.channel.unary_stream(WATCH)
        stream = opened(health_pb2.HealthCheckRequest().SerializeToString())
        try:
            await stream.read()
        except grpc.aio.AioRpcError as error:
            return stream, error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED
        return stream, True

    held = [await watch(), await watch()]
    assert [admitted for _, admitted in held] == [True, True]
    assert not (await watch())[1]  # two is the limit
    held[0][0].cancel()
    async with asyncio.timeout(20):
        while not (one := await watch())[1]:
            await asyncio.sleep(0.05)
    held[1][0].cancel()
    one[0].cancel()


async def test_an_error_has_its_details_and_the_request_id(native: Service) -> None:
    call: Any = native.channel.unary_unary(f"{PHONE}/ValidateNumber")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(REQUEST, metadata=(("x-request-id", "my-call-b"),), timeout=20)
    assert refusal(caught.value).reason == "CREDENTIALS_MISSING"
    assert "`authorization: Bearer TOKEN`" in refusal(caught.value).message
    assert ("x-request-id", "my-call-b") in tuple(caught.value.trailing_metadata() or ())


async def test_reflection_lists_the_services(native: Service) -> None:
    call: Any = native.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    stream = call(timeout=20)
    await stream.write(reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString())
    answer = reflection_pb2.ServerReflectionResponse.FromString(await stream.read())
    assert "bossjy.phone.v1.PhoneService" in [one.name for one in answer.list_services_response.service]
    stream.cancel()


async def test_grpc_needs_http_2(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{PHONE}/ValidateNumber", content=b"", headers={"content-type": "application/grpc"})
    assert answer.status_code == httpx.codes.HTTP_VERSION_NOT_SUPPORTED
