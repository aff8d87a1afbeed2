"""Open streams through the real chain: which ones end, when, and with which status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, Reason, Unauthenticated
from bossjy_server.rpc.classes import CallClass
from bossjy_server.rpc.options import QuotaOptions, StreamOptions
from bossjy_server.rpc.streams import Standing
from tests.open_stream import OpenStream
from tests.unit.rpc.conftest import READER as CALLER
from tests.unit.rpc.test_chain import READER, STREAM, call, lines

Serve = Callable[..., Any]
# A message larger than a client accepts before it reads: it stays unsent.
LARGE = 2 * 1024 * 1024
QUICK = StreamOptions(check_s=0.05, idle_s=0, unsent_s=0, unverified_s=0.4)


class Phone:
    """Echoes; sequence 2 gets a large answer, 3 and 5 take long, and 3 swallows its cancellation."""

    def __init__(self) -> None:
        self.finished = 0

    async def ValidateNumber(self, _request: pb.ValidateNumberRequest) -> pb.ValidateNumberResponse:
        return pb.ValidateNumberResponse()

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[pb.StreamValidateNumbersRequest]
    ) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                if request.sequence == 5:
                    await asyncio.sleep(60)
                if request.sequence == 3:
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        return
                extra = b"\x12" + _varint(LARGE) + b"0" * LARGE if request.sequence == 2 else b""
                yield pb.StreamValidateNumbersResponse(sequence=request.sequence).SerializeToString() + extra
        finally:
            self.finished += 1


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(sequence: int) -> bytes:
    request = pb.StreamValidateNumbersRequest(sequence=sequence)
    request.texts.phone_numbers.append("1")
    return request.SerializeToString()


class Authority:
    """The rights of the callers, set by a test."""

    def __init__(self) -> None:
        self.standing: Standing = CALLER.scopes
        self.asked: list[list[Caller]] = []
        self.fails = 0

    async def __call__(self, callers: Sequence[Caller]) -> list[Standing]:
        self.asked.append(list(callers))
        if self.fails:
            self.fails -= 1
            raise RuntimeError("a fault of one round")
        return [self.standing for _ in callers]


def ended() -> BossjyError:
    return Unauthenticated(Reason.SESSION_ENDED, "the session has ended: log in again")


async def test_a_stream_ends_with_its_callers_authority(serve: Serve) -> None:
    authority, phone = Authority(), Phone()
    async with serve(phone, stream_options=QUICK, recheck=authority) as served:
        with OpenStream(served.address, STREAM, READER) as stream:
            stream.send(message(1))
            await stream.answered(1)
            authority.fails = 2  # the watchdog survives a fault
            await asyncio.sleep(0.3)
            stream.send(message(4))
            await stream.answered(2)
            authority.standing = ended()
            assert await stream.ended(5) == "SESSION_ENDED"
            assert stream.code == "UNAUTHENTICATED"
        assert phone.finished == 1
        assert authority.asked[-1] == [CALLER]
        assert [line["reason"] for line in lines(served) if line["event"] == "call"] == ["SESSION_ENDED"]


async def test_streams_of_one_caller_are_checked_once(serve: Serve) -> None:
    authority = Authority()
    async with serve(Phone(), stream_options=QUICK, recheck=authority) as served:
        with OpenStream(served.address, STREAM, READER) as one, OpenStream(served.address, STREAM, READER) as two:
            for stream in (one, two):
                stream.send(message(1))
                await stream.answered(1)
            authority.asked.clear()
            await asyncio.sleep(0.3)
            assert authority.asked
            assert all(asked == [CALLER] for asked in authority.asked)
            authority.standing = frozenset()  # a demotion
            assert [await one.ended(5), await two.ended(5)] == ["SCOPE_MISSING"] * 2
            assert one.code == "PERMISSION_DENIED"
        authority.asked.clear()
        await asyncio.sleep(0.3)
        assert not authority.asked  # no caller to check


async def test_a_stream_whose_authority_cannot_be_read_ends_after_a_while(serve: Serve) -> None:
    authority = Authority()
    authority.standing = None
    async with serve(Phone(), stream_options=QUICK, recheck=authority) as served:
        with OpenStream(served.address, STREAM, READER) as stream:
            stream.send(message(1))
            await stream.answered(1)
            assert await stream.ended(5) == "DATABASE_UNAVAILABLE"
            assert stream.took_s > 0.4
            assert stream.retry


async def test_a_recheck_that_hangs_counts_as_unknown(serve: Serve) -> None:
    async def hangs(_callers: Sequence[Caller]) -> list[Standing]:
        await asyncio.sleep(60)
        return []

    async with serve(Phone(), stream_options=QUICK, recheck=hangs) as served:
        with OpenStream(served.address, STREAM, READER) as stream:
            assert await stream.ended(10) == "DATABASE_UNAVAILABLE"


async def test_an_idle_stream_ends_and_one_with_traffic_does_not(serve: Serve) -> None:
    options = replace(QUICK, idle_s=1.0)
    async with serve(Phone(), stream_options=options) as served:
        with OpenStream(served.address, STREAM, READER) as idle, OpenStream(served.address, STREAM, READER) as busy:
            for number in range(10):
                busy.send(message(1))
                await busy.answered(number + 1)
                await asyncio.sleep(0.2)
            assert await idle.ended(5) == "STREAM_IDLE"
            assert (idle.code, idle.retry) == ("DEADLINE_EXCEEDED", True)
            assert 1.0 < idle.took_s < 4
            assert not busy.code
            busy.finish()
            assert await busy.ended(5) == "OK"


async def test_an_unread_stream_ends_and_its_client_hears_why(serve: Serve) -> None:
    options = replace(QUICK, unsent_s=0.5)
    phone = Phone()
    async with serve(phone, stream_options=options, quota_options=QuotaOptions(tenant_streams=1)) as served:
        with OpenStream(served.address, STREAM, READER, reading=False) as stream:
            stream.send(message(2))
            for _ in range(100):
                if phone.finished:
                    break
                await asyncio.sleep(0.05)
            assert phone.finished == 1
            assert served.limits.slots[CallClass.BULK].running == 0
            # The transport still holds the message, so it counts as a stream of its tenant.
            with OpenStream(served.address, STREAM, READER) as another:
                assert await another.ended(5) == "QUOTA_EXCEEDED"
            assert await stream.ended(5) == "STREAM_UNREAD"
            assert len(stream.answers) == 1
        reason = ""
        for _ in range(100):
            with OpenStream(served.address, STREAM, READER) as after:
                after.finish()
                reason = await after.ended(5)
            if reason == "OK":
                break
            await asyncio.sleep(0.05)
        assert reason == "OK"


async def test_authority_ends_a_stream_that_waits_for_its_client(serve: Serve) -> None:
    authority, phone = Authority(), Phone()
    async with serve(phone, stream_options=QUICK, recheck=authority) as served:
        with OpenStream(served.address, STREAM, READER, reading=False) as stream:
            stream.send(message(2))
            await asyncio.sleep(0.3)
            authority.standing = ended()
            while phone.finished != 1:
                await asyncio.sleep(0.02)
            assert await stream.ended(60) == "SESSION_ENDED"


async def test_work_that_swallows_its_cancellation_ends_with_the_status_all_the_same(serve: Serve) -> None:
    authority = Authority()
    async with serve(Phone(), stream_options=QUICK, recheck=authority) as served:
        with OpenStream(served.address, STREAM, READER) as stream:
            stream.send(message(3))
            await asyncio.sleep(0.2)
            authority.standing = ended()
            assert await stream.ended(5) == "SESSION_ENDED"


async def test_a_stream_that_its_client_cancels_is_cancelled(serve: Serve) -> None:
    async with serve(Phone(), stream_options=QUICK) as served:
        with OpenStream(served.address, STREAM, READER) as stream:
            stream.send(message(1))
            await stream.answered(1)
            stream.send(message(5))
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.2)
        assert [line["code"] for line in lines(served) if line["event"] == "call"] == ["CANCELLED"]


async def test_unary_calls_are_not_watched(serve: Serve) -> None:
    authority = Authority()
    authority.standing = ended()
    async with serve(Phone(), stream_options=QUICK, recheck=authority) as served:
        await call(served)
        await asyncio.sleep(0.2)
    assert not authority.asked
