"""Limits of a process and quotas of callers, through the real chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.rpc import rates as rates_module
from bossjy_server.rpc.classes import CallClass, class_of
from bossjy_server.rpc.method import methods_of
from bossjy_server.rpc.options import LimitOptions, QuotaOptions, RateOptions
from bossjy_server.rpc.rates import Rates, Use
from bossjy_server.rpc.slots import NoPlace, Slots
from bossjy_server.service_health import AUTH, CONTACTS, HEALTH, IMPORTS
from tests.stream_status import stream_status
from tests.unit.rpc.conftest import PHONE
from tests.unit.rpc.test_chain import READER, STREAM, call, details_of, refused, until

Serve = Callable[..., Any]


class Phone:
    """Calls that wait until the test releases them."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def ValidateNumber(self, request: pb.ValidateNumberRequest) -> pb.ValidateNumberResponse:
        if request.phone_number == "slow":
            await self.go.wait()
        return pb.ValidateNumberResponse()

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[pb.StreamValidateNumbersRequest]
    ) -> AsyncIterator[pb.StreamValidateNumbersResponse]:
        async for request in requests:
            yield pb.StreamValidateNumbersResponse(sequence=request.sequence)


async def _settled(served: Any, running: int = 0, queued: int = 0, of: CallClass = CallClass.PHONE) -> None:
    """Wait until the given numbers of calls of a class have a slot and wait for one."""
    slots = served.limits.slots[of]
    await until(lambda: (slots.running, slots.queued) == (running, queued))


def _classes(service: Any) -> dict[str, str]:
    return {method.name: class_of(method).value for method in methods_of(service)}


def test_the_class_of_each_method_follows_from_its_contract() -> None:
    assert set(_classes(HEALTH).values()) == {"health"}
    assert _classes(PHONE)["ValidateNumber"] == "phone"
    assert _classes(PHONE)["StreamValidateNumbers"] == "bulk"
    assert _classes(CONTACTS)["ListContacts"] == "contacts"
    assert _classes(CONTACTS)["ExportContacts"] == "bulk"
    assert (_classes(IMPORTS)["CreateImport"], _classes(IMPORTS)["Upload"]) == ("imports", "bulk")
    auth = _classes(AUTH)
    assert (auth["Register"], auth["Login"]) == ("login", "login")
    assert (auth["RefreshToken"], auth["GetMe"], auth["CreateUser"], auth["CreateApiKey"]) == (
        "auth",
        "auth",
        "admin",
        "admin",
    )
    assert CallClass.OTHER not in {*_classes(PHONE).values(), *_classes(CONTACTS).values(), *auth.values()}


async def test_calls_beyond_the_slots_wait_and_those_beyond_the_queue_are_refused(serve: Serve) -> None:
    phone, options = Phone(), LimitOptions(running={"phone": 1}, queued={"phone": 1})
    async with serve(phone, limit_options=options) as served:
        running = asyncio.create_task(call(served, "slow"))
        await _settled(served, 1)
        queued = asyncio.create_task(call(served, "1"))
        await _settled(served, 1, 1)
        busy = await refused(call(served))
        assert busy.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details_of(busy)["ErrorInfo"].reason == "OVERLOADED"
        assert details_of(busy)["ErrorInfo"].metadata == {"class": "phone"}
        assert details_of(busy)["RetryInfo"].retry_delay.seconds == 1
        value = served.registry.get_sample_value
        of_phone = {"class": "phone"}
        assert value("bossjy_class_running", of_phone) == 1
        assert value("bossjy_class_queued", of_phone) == 1
        assert value("bossjy_class_shed_total", of_phone) == 1
        assert not queued.done()
        phone.go.set()
        await asyncio.gather(running, queued)
        await _settled(served)
        assert value("bossjy_class_running", of_phone) == 0


async def test_a_wait_for_a_slot_ends(serve: Serve) -> None:
    options = LimitOptions(running={"phone": 1}, queued={"phone": 5}, queue_s=0.2)
    phone = Phone()
    async with serve(phone, limit_options=options) as served:
        running = asyncio.create_task(call(served, "slow"))
        await _settled(served, 1)
        late = await refused(call(served))
        assert details_of(late)["ErrorInfo"].reason == "OVERLOADED"
        phone.go.set()
        await running


async def test_cancelled_calls_free_their_slot_and_leave_the_queue(serve: Serve) -> None:
    options = LimitOptions(running={"phone": 1}, queued={"phone": 2})
    async with serve(Phone(), limit_options=options) as served:
        tasks = [asyncio.create_task(call(served, "slow")) for _ in range(3)]
        await _settled(served, 1, 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _settled(served)
        await call(served)
        slots = served.limits.slots[CallClass.PHONE]
        assert (slots.running, slots.queued) == (0, 0)


async def test_other_classes_have_their_own_slots(serve: Serve) -> None:
    phone, options = Phone(), LimitOptions(running={"phone": 1}, queued={"phone": 0})
    async with serve(phone, limit_options=options) as served:
        running = asyncio.create_task(call(served, "slow"))
        await _settled(served, 1)
        stream = served.channel.stream_stream(STREAM)

        async def messages() -> AsyncIterator[bytes]:
            request = pb.StreamValidateNumbersRequest(sequence=7)
            request.texts.phone_numbers.append("1")
            yield request.SerializeToString()

        answers = [raw async for raw in stream(messages(), metadata=READER)]
        assert len(answers) == 1
        phone.go.set()
        await running


async def test_nothing_is_admitted_while_the_server_drains(serve: Serve) -> None:
    async with serve(Phone()) as served:
        served.limits.draining = True
        drained = await refused(call(served))
    assert drained.code() is grpc.StatusCode.UNAVAILABLE
    assert details_of(drained)["ErrorInfo"].reason == "SHUTTING_DOWN"
    assert details_of(drained)["RetryInfo"].retry_delay.seconds == 1


@pytest.mark.parametrize(
    ("limits", "quotas", "subject"),
    [
        (LimitOptions(address_per_minute=6), QuotaOptions(), "address"),
        (LimitOptions(), QuotaOptions(tenant_per_minute=6), "tenant"),
        (LimitOptions(), QuotaOptions(tenant_per_minute=0, user_per_minute=6), "user"),
    ],
    ids=["address", "tenant", "user"],
)
async def test_rates(serve: Serve, limits: LimitOptions, quotas: QuotaOptions, subject: str) -> None:
    tenant = 6 if subject == "tenant" else 0
    async with serve(Phone(), limit_options=limits, quota_options=quotas, tenant_per_minute=tenant) as served:
        await call(served)
        limited = await refused(call(served))
    found = details_of(limited)
    assert limited.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].metadata["subject"]) == ("RATE_LIMITED", subject)
    assert found["ErrorInfo"].metadata["limit"] == "6"
    assert 8 <= found["RetryInfo"].retry_delay.seconds <= 10
    assert found["QuotaFailure"].violations[0].subject == subject


async def test_the_limit_of_a_tenant_counts_once_it_is_known(serve: Serve) -> None:
    async with serve(Phone(), quota_options=QuotaOptions(tenant_per_minute=6), tenant_per_minute=0) as served:
        await call(served)
        await asyncio.sleep(0.1)  # the limit is read after the call
        for _ in range(30):
            await call(served)


@pytest.mark.parametrize(("of_server", "of_tenant"), [(1, None), (50, 1), (0, 1)])
async def test_a_tenant_holds_so_many_streams(serve: Serve, of_server: int, of_tenant: int | None) -> None:
    options = QuotaOptions(tenant_streams=of_server)
    async with serve(Phone(), quota_options=options, tenant_streams=of_tenant) as served:
        await call(served)  # the limit of the tenant is read
        stream = served.channel.stream_stream(STREAM)
        open_one = stream(metadata=READER)
        await open_one.wait_for_connection()
        await _settled(served, 1, of=CallClass.BULK)
        assert (await stream_status(served.address, STREAM, [], READER)).reason == "QUOTA_EXCEEDED"
        await open_one.done_writing()
        assert await open_one.read() is grpc.aio.EOF
        await _settled(served, of=CallClass.BULK)
        another = stream(metadata=READER)
        await another.done_writing()
        assert await another.read() is grpc.aio.EOF


async def test_a_slot_that_comes_as_the_wait_ends_is_passed_on() -> None:
    slots = Slots(1, 2)
    await slots.enter(1)
    waiting = asyncio.create_task(slots.enter(1))
    await asyncio.sleep(0)
    slots.leave()  # the slot belongs to the task, which does not know yet
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (slots.running, slots.queued) == (0, 0)
    await slots.enter(0)
    with pytest.raises(NoPlace):
        await slots.enter(0)


async def test_books_are_bounded_and_buckets_fill_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(rates_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    rates = Rates(RateOptions(burst_s=0.5, subjects_max=2), None)
    book = rates.book("address", "all")
    assert book.take("a", 600) == 0
    assert [book.take("a", 600) for _ in range(4)] == [0] * 4
    assert 0 < book.take("a", 600) <= 0.1
    now[0] += 0.11
    assert book.take("a", 600) == 0
    for name in "bcd":
        book.take(name, 600)
    assert len(book._buckets) == 2
    await rates.exchange()
    assert not rates.listed


async def test_consumption_is_reported_when_the_shared_store_answers_again() -> None:
    told: list[Use] = []
    lost = True

    async def exchange(uses: Any) -> tuple[list[float], int]:
        if lost:
            raise ConnectionError
        told.extend(uses)
        return [5.0 for _ in uses], 2

    rates = Rates(RateOptions(burst_s=60), exchange)
    book = rates.book("tenant", "phone")
    book.take("t", 60)
    await rates.exchange()
    assert rates.share == 1
    book.take("t", 60)
    lost = False
    await rates.exchange()
    assert [use.taken for use in told] == [2]
    assert rates.share == 0.5
    # Half of the remaining five.
    assert [bool(book.take("t", 60)) for _ in range(3)] == [False, False, True]
