"""Settings of the channel, and clients that several event loops use."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import grpc.aio
import pytest

from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_client import AsyncClient, BossjyError, ClientConfig
from tests.unit.client.conftest import Start
from tests.unit.client.test_call_options import CALLS, Recorder, gather


def added(details: Any) -> Any:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    metadata.add("x-added", "yes")
    return details._replace(metadata=metadata)


class AddingUnary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(added(client_call_details), request)


class AddingStream(grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await continuation(added(client_call_details), request_iterator)


async def test_interceptors_options_and_policy_of_the_channel(start: Start, quick: ClientConfig) -> None:
    server, other = Recorder(), Recorder()
    one, two = await start(server.add_to), await start(other.add_to)
    ports = [running.target.rpartition(":")[2] for running in (one, two)]
    config = replace(
        quick,
        interceptors=(AddingUnary(), AddingStream()),
        load_balancing="round_robin",
        channel_options=(("grpc.primary_user_agent", "mine"), ("grpc.max_receive_message_length", 1000)),
        plaintext=True,
    )
    target = f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}"
    async with await AsyncClient.connect(target, config=config) as client:
        for call in CALLS.values():
            await call(client)
        deadline = time.monotonic() + 30
        while not (server.metadata and other.metadata) and time.monotonic() < deadline:
            await client.phone.validate("1")
        with pytest.raises(BossjyError, match="larger than max"):
            await gather(client.phone.validate_many(["1"] * 5000))
    assert server.metadata
    assert other.metadata
    for metadata in server.metadata + other.metadata:
        assert metadata["x-added"] == "yes"
        assert metadata["user-agent"].startswith("mine ")


async def test_a_client_of_two_event_loops(start: Start, quick: ClientConfig) -> None:
    running = await start(Recorder().add_to)

    def run() -> list[bool]:
        kept = asyncio.run(AsyncClient.connect(running.target, config=quick))

        async def ask() -> bool:
            return (await kept.phone.validate("1")).valid

        answers = [asyncio.run(ask()), asyncio.run(ask())]
        asyncio.run(kept.close())
        with pytest.raises(BossjyError, match="the client is closed: connect a new one"):
            asyncio.run(ask())
        return answers

    assert await asyncio.to_thread(run) == [True, True]


async def test_an_unsafe_call_waits_for_a_server_with_round_robin(start: Start, quick: ClientConfig) -> None:
    running = await start(Recorder().add_to)
    port = int(running.target.rpartition(":")[2])
    config = replace(quick, load_balancing="round_robin", plaintext=True, timeout_s=30.0)
    async with await AsyncClient.connect(f"ipv4:127.0.0.1:{port}", config=config) as client:
        await running.server.stop(None)
        stub: Any = phone_service_pb2_grpc.PhoneServiceStub(client._connection.channel)
        request = phone_service_pb2.ValidateNumberRequest(phone_number="1")
        call = asyncio.create_task(client._connection.call(stub.ValidateNumber, request, safe=False))
        await asyncio.sleep(0.5)
        assert not call.done()
        server = Recorder()
        await start(server.add_to, port=port)
        assert (await call).valid
    assert len(server.metadata) == 1
