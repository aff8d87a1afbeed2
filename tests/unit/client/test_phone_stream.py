from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import grpc.aio
import pytest

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client import Client, ClientConfig, InvalidRequestError, TextBatch, UnavailableError
from tests.unit.client.conftest import Start
from tests.unit.client.double import Context, refuse


@dataclass
class PhoneDouble:
    """Answers each text separately; breaks the stream at the messages in `breaks`, counted from the first."""

    breaks: dict[int, Callable[[Context], Any]] = field(default_factory=dict)
    messages: int = 0
    requests: list[pb.StreamValidateNumbersRequest] = field(default_factory=list)

    def add_to(self, server: grpc.aio.Server) -> None:
        method = grpc.stream_stream_rpc_method_handler(
            self.StreamValidateNumbers,
            pb.StreamValidateNumbersRequest.FromString,
            pb.StreamValidateNumbersResponse.SerializeToString,
        )
        handlers = {"StreamValidateNumbers": method}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bossjy.phone.v1.PhoneService", handlers),)
        )

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[pb.StreamValidateNumbersRequest], context: Context
    ) -> AsyncIterator[pb.StreamValidateNumbersResponse]:
        async for request in requests:
            self.messages += 1
            self.requests.append(request)
            fault = self.breaks.pop(self.messages, None)
            if fault is not None:
                await fault(context)
                return
            texts = request.texts.phone_numbers
            columns = pb.NumberColumns(valid=[True] * len(texts), e164=texts)
            yield pb.StreamValidateNumbersResponse(columns=columns, valid_count=len(texts))


async def batches(count: int) -> AsyncIterator[list[str]]:
    for number in range(count):
        yield [f"{number}.{index}" for index in range(3)]


TRIES = 100


async def run(target: str, config: ClientConfig, count: int = 20) -> list[tuple[list[str], list[str]]]:
    async with await Client.connect(target, config=config) as client:
        answers = client.phone.validate_stream(batches(count), "CN", columns=["valid", "e164"])
        return [(list(texts), list(answer.columns.e164)) async for texts, answer in answers]


async def unavailable(context: Context) -> None:
    await refuse(context, grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def end(_: Context) -> None:
    """End the stream as if it were complete."""


@pytest.mark.parametrize("breaks", [{}, {3: unavailable}, {1: unavailable, 7: end, 9: unavailable}, {23: end}])
async def test_each_batch_is_answered_once_and_in_order(
    start: Start, quick: ClientConfig, breaks: dict[int, Callable[[Context], Any]]
) -> None:
    double = PhoneDouble(dict(breaks))
    running = await start(double.add_to)
    answered = await run(running.target, quick)
    wanted = [batch async for batch in batches(20)]
    assert answered == [(batch, batch) for batch in wanted]


async def test_a_language_and_a_region_for_each_text(start: Start, quick: ClientConfig) -> None:
    async def regions() -> AsyncIterator[Sequence[str]]:
        yield TextBatch(["020 7946 0958", "138 0000 0000"], ["GB", ""])
        yield ["1"]

    double = PhoneDouble()
    running = await start(double.add_to)
    async with await Client.connect(running.target, config=quick) as client:
        stream = client.phone.validate_stream(regions(), "CN", columns=["carrier"], language="zh")
        first, second = [texts async for texts, _ in stream]
    assert (list(first), first[0], list(first[1:])) == (
        ["020 7946 0958", "138 0000 0000"],
        "020 7946 0958",
        ["138 0000 0000"],
    )
    assert second == ["1"]
    assert {(one.region_code, one.language, *one.read_mask.paths) for one in double.requests} == {
        ("CN", "zh", "carrier")
    }
    assert [list(one.texts.default_regions) for one in double.requests] == [["GB", ""], []]


async def test_nothing_to_ask(start: Start, quick: ClientConfig) -> None:
    running = await start(PhoneDouble().add_to)
    assert await run(running.target, quick, 0) == []


async def test_a_refusal_is_reported(start: Start, quick: ClientConfig) -> None:
    async def wrong(context: Context) -> None:
        await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")

    running = await start(PhoneDouble(dict.fromkeys(range(2, 1000), wrong)).add_to)
    # gRPC often loses the status to a write on a busy machine; the next try gets it.
    config = replace(quick, max_attempts=TRIES)
    with pytest.raises(InvalidRequestError) as caught:
        await run(running.target, config)
    assert caught.value.reason == "INVALID_FIELD"


async def test_a_service_that_stays_away_is_given_up(start: Start, quick: ClientConfig) -> None:
    running = await start(PhoneDouble(dict.fromkeys(range(1, 100), unavailable)).add_to)
    with pytest.raises(UnavailableError):
        await run(running.target, quick)
