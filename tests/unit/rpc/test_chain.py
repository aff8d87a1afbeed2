"""Calls through the real chain: order, status, details, log and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import grpc
import orjson
import pytest
from google.rpc import error_details_pb2, status_pb2
from prometheus_client import CollectorRegistry

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.context import CallContext, Caller, current_call, current_caller
from bossjy_server.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Reason,
    ResourceExhausted,
    Unavailable,
    Violation,
)
from bossjy_server.rpc.access import access_concern
from bossjy_server.rpc.call import Call, compose
from bossjy_server.rpc.chain import build_chain
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.method import methods_of
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.options import LimitOptions, QuotaOptions, RateOptions, StreamOptions
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.rates import Rates
from bossjy_server.rpc.streams import StreamGuard
from bossjy_server.telemetry.logging import Log
from bossjy_server.tenant_settings import KnownTenants, TenantSettings
from tests.stream_status import RpcStatus, stream_status
from tests.unit.rpc.conftest import PHONE, authenticate, still_allowed

VALIDATE = "/bossjy.phone.v1.PhoneService/ValidateNumber"
STREAM = "/bossjy.phone.v1.PhoneService/StreamValidateNumbers"
READER = (("authorization", "Bearer reader"),)
Serve = Callable[..., Any]


class Phone:
    """Answers of a fixed kind, to test how the chain handles them."""

    async def ValidateNumber(self, request: pb.ValidateNumberRequest) -> pb.ValidateNumberResponse:
        if request.phone_number == "missing":
            raise NotFound("thing")
        if request.phone_number == "full":
            raise ResourceExhausted(
                Reason.QUOTA_EXCEEDED, "enough of these", metadata={"limit": "3"}, retry_after_s=1.5
            )
        if request.phone_number == "long":
            text = "号" * 50_000
            raise InvalidArgument(
                Reason.INVALID_FIELD, text, metadata={"m": text}, violations=[Violation(text, text)] * 50
            )
        if request.phone_number in ("expected", "lost"):
            try:
                raise ValueError("of a library, with 13812345678")
            except ValueError as error:
                if request.phone_number == "lost":
                    raise Unavailable(Reason.DATABASE_UNAVAILABLE, "the database is away") from error
                raise InvalidArgument(Reason.ARROW_INVALID, "that is not Arrow") from error
        if request.phone_number == "fault":
            raise RuntimeError("secret 13812345678")
        if request.phone_number == "slow":
            await asyncio.sleep(60)
        if request.phone_number == "scope":
            return pb.ValidateNumberResponse(e164=current_call().scope)
        return pb.ValidateNumberResponse(e164=current_caller().user_id, region_code=current_call().request_id)

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[pb.StreamValidateNumbersRequest]
    ) -> AsyncIterator[pb.StreamValidateNumbersResponse]:
        async for request in requests:
            if request.sequence == 99:
                raise NotFound("thing")
            yield pb.StreamValidateNumbersResponse(sequence=request.sequence)


async def call(
    served: Any, text: str = "1", metadata: tuple[tuple[str, str], ...] = READER, method: str = VALIDATE
) -> pb.ValidateNumberResponse:
    function = served.channel.unary_unary(
        method,
        request_serializer=pb.ValidateNumberRequest.SerializeToString,
        response_deserializer=pb.ValidateNumberResponse.FromString,
    )
    answer: pb.ValidateNumberResponse = await function(
        pb.ValidateNumberRequest(phone_number=text), metadata=metadata, timeout=30
    )
    return answer


def details_of(error: RpcStatus) -> dict[str, Any]:
    trailing: Any = error.trailing_metadata()
    packed = dict(trailing or ())["grpc-status-details-bin"]
    found: dict[str, Any] = {}
    for one in status_pb2.Status.FromString(packed).details:
        kind = getattr(error_details_pb2, one.type_url.rsplit(".", 1)[1])()
        one.Unpack(kind)
        found[kind.DESCRIPTOR.name] = kind
    return found


async def refused(awaitable: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return caught.value


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def lines(served: Any) -> list[dict[str, Any]]:
    served.log.close()
    return [orjson.loads(line) for line in served.text.getvalue().splitlines()]


async def _no_limits(tenants: Sequence[str]) -> dict[str, TenantSettings]:
    return dict.fromkeys(tenants, TenantSettings(0))


async def test_a_call_knows_the_scope_that_its_method_requires(serve: Serve) -> None:
    async with serve(Phone()) as served:
        assert (await call(served, "scope")).e164 == "phone.read"


async def test_order_of_the_chain() -> None:
    rates = Rates(RateOptions(), None)
    limits = Limits(LimitOptions(), rates)
    chain = build_chain(
        tracer=None,
        metrics=CallMetrics(CollectorRegistry()),
        log=Log(),
        limits=limits,
        authenticate=authenticate,
        quotas=Quotas(QuotaOptions(), rates, KnownTenants(_no_limits), limits.shares),
        streams=StreamGuard(StreamOptions(), still_allowed),
    )
    names = [concern.__qualname__.split(".")[0].removesuffix("_concern") for concern in chain]
    assert names == [
        "request_context",
        "tracing",
        "CallMetrics",
        "logging",
        "errors",
        "Limits",
        "access",
        "Quotas",
        "StreamGuard",
        "validation",
    ]


async def test_concerns_wrap_from_the_outside_in() -> None:
    seen: list[str] = []

    def named(name: str) -> Any:
        def wrap(_method: Any, proceed: Any) -> Any:
            async def concern(one: Call) -> None:
                seen.append(name)
                await proceed(one)

            return concern

        return wrap

    async def innermost(_call: Call) -> None:
        seen.append("servicer")

    method = next(iter(methods_of(PHONE)))
    await compose(method, [named("a"), named("b")], innermost)(None)  # type: ignore[arg-type]
    assert seen == ["a", "b", "servicer"]


async def test_a_call_knows_its_caller_and_its_id(serve: Serve) -> None:
    async with serve(Phone()) as served:
        answer = await call(served, metadata=(*READER, ("x-request-id", "my-request-1")))
    assert (answer.e164, answer.region_code) == ("u", "my-request-1")


@pytest.mark.parametrize(
    ("metadata", "code", "reason"),
    [
        ((), grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_MISSING"),
        ((*READER, *READER), grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_AMBIGUOUS"),
        ((("authorization", "Bearer other"),), grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID"),
        ((("authorization", "Bearer stranger"),), grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
    ],
)
async def test_access(serve: Serve, metadata: Any, code: grpc.StatusCode, reason: str) -> None:
    async with serve(Phone()) as served:
        error = await refused(call(served, metadata=metadata))
        (line,) = lines(served)
    assert error.code() is code
    assert details_of(error)["ErrorInfo"].reason == reason
    assert details_of(error)["ErrorInfo"].domain == "bossjy"
    assert (line["code"], line["reason"]) == (code.name, reason)


async def test_public_methods_read_no_credentials() -> None:
    async def never(_value: str) -> Any:
        raise AssertionError("credentials were read")

    from bossjy_server.rpc.server import _UNKNOWN  # noqa: PLC0415

    async def innermost(_call: Call) -> None: ...

    assert access_concern(never)(_UNKNOWN, innermost) is innermost


async def test_a_missing_scope_found_by_a_method_is_reported_as_well() -> None:
    told: list[tuple[str, str]] = []
    method = next(one for one in methods_of(PHONE) if one.access.scope)
    caller = Caller("t", "u", frozenset({method.access.scope}), "member")
    poor = replace(caller, scopes=frozenset())

    async def refused_scope(caller: Caller, scope: str) -> None:
        told.append((caller.user_id, scope))

    async def run(who: Caller, error: Exception | None) -> None:
        async def who_calls(_value: str) -> Caller:
            return who

        async def innermost(_call: Call) -> None:
            if error is not None:
                raise error

        context = CallContext("request", method.path)
        one = Call(method, context, {"authorization": "Bearer x"}, frozenset(), b"", None, sent, 0.0)
        await access_concern(who_calls, None, refused_scope)(method, innermost)(one)

    async def sent(_data: bytes) -> None: ...

    await run(caller, None)
    assert told == []
    with pytest.raises(PermissionDenied):
        await run(poor, None)
    own = PermissionDenied(Reason.SCOPE_MISSING, "no", metadata={"scope": "session"})
    for error in (own, PermissionDenied(Reason.REGISTRATION_CLOSED, "no"), NotFound("thing")):
        with pytest.raises(type(error)):
            await run(caller, error)
    assert told == [("u", method.access.scope), ("u", "session")]


async def test_typed_errors_become_status_with_details(serve: Serve) -> None:
    async with serve(Phone()) as served:
        missing = await refused(call(served, "missing"))
        full = await refused(call(served, "full"))
    assert missing.code() is grpc.StatusCode.NOT_FOUND
    assert details_of(missing)["ErrorInfo"].metadata == {"resource": "thing"}
    assert details_of(missing)["RequestInfo"].request_id == dict(missing.trailing_metadata())["x-request-id"]
    assert full.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details_of(full)["RetryInfo"].retry_delay.ToMilliseconds() == 1500
    assert details_of(full)["QuotaFailure"].violations[0].description == "enough of these"


async def test_a_status_stays_within_what_clients_take(serve: Serve) -> None:
    async with serve(Phone()) as served:
        error = await refused(call(served, "long"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(error.details()).endswith("…")
    found = details_of(error)
    assert found["ErrorInfo"].reason == "INVALID_FIELD"
    assert len(found["BadRequest"].field_violations) == 8
    size = sum(len(key) + len(value) for key, value in error.trailing_metadata() or ())
    assert size < 5_000


async def test_a_fault_tells_the_caller_nothing_and_the_log_no_number(serve: Serve) -> None:
    async with serve(Phone()) as served:
        error = await refused(call(served, "fault"))
        written = lines(served)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(error.details())
    assert details_of(error)["ErrorInfo"].reason == "INTERNAL"
    fault = next(line for line in written if line["event"] == "call failed")
    assert "RuntimeError" in fault["traceback"]
    assert "13812345678" not in served.text.getvalue()


async def test_the_cause_is_logged_only_for_faults(serve: Serve) -> None:
    async with serve(Phone()) as served:
        await refused(call(served, "expected"))
        for _ in range(30):
            await refused(call(served, "lost"))
        written = lines(served)
    assert sum(line["event"] == "call" for line in written) == 31
    causes = [line for line in written if line["event"] == "call refused"]
    assert len(causes) == 10  # of one kind in a minute
    assert all("ValueError" in line["traceback"] for line in causes)
    (expected,) = [line for line in written if line.get("reason") == "ARROW_INVALID"]
    assert (expected["level"], "traceback" in expected) == ("info", False)
    assert "13812345678" not in served.text.getvalue()


async def test_fields_that_break_a_rule_are_named(serve: Serve) -> None:
    async with serve(Phone()) as served:
        error = await refused(call(served, "1" * 5000))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    (violation,) = details_of(error)["BadRequest"].field_violations
    assert violation.field == "phone_number"
    assert "4096" in violation.description


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7f1"])
async def test_bytes_that_are_no_message(serve: Serve, raw: bytes) -> None:
    async with serve(Phone()) as served:
        error = await refused(served.channel.unary_unary(VALIDATE)(raw, metadata=READER))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(error)["ErrorInfo"].reason == "MALFORMED_REQUEST"


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("/bossjy.phone.v1.PhoneService/FormatNumber", "METHOD_NOT_AVAILABLE"),
        ("/bossjy.phone.v1.PhoneService/NoSuchMethod", "UNKNOWN_METHOD"),
        ("/no.such.Service/Method", "UNKNOWN_METHOD"),
    ],
)
async def test_methods_that_are_not_served(serve: Serve, method: str, reason: str) -> None:
    async with serve(Phone()) as served:
        error = await refused(served.channel.unary_unary(method)(b"\x0a\x011", metadata=READER))
        unknown = served.registry.get_sample_value(
            "grpc_server_handled_total",
            {
                "grpc_type": "unary",
                "grpc_service": "unknown",
                "grpc_method": "unknown",
                "grpc_code": "UNIMPLEMENTED",
            },
        )
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert details_of(error)["ErrorInfo"].reason == reason
    assert unknown == (1 if reason == "UNKNOWN_METHOD" else None)


async def test_streams_are_answered_checked_and_ended_like_calls(serve: Serve) -> None:
    def messages(*sequences: int) -> Iterator[pb.StreamValidateNumbersRequest]:
        for sequence in sequences:
            request = pb.StreamValidateNumbersRequest(sequence=sequence)
            if sequence >= 0:
                request.texts.phone_numbers.append("1")
            yield request

    async with serve(Phone()) as served:
        ended = await stream_status(served.address, STREAM, messages(1, 2), READER)
        assert ended.code == "OK"
        assert [pb.StreamValidateNumbersResponse.FromString(raw).sequence for raw in ended.answers] == [1, 2]
        for sequences, code in (((1, 99), "NOT_FOUND"), ((1, -1), "INVALID_ARGUMENT")):
            ended = await stream_status(served.address, STREAM, messages(*sequences), READER)
            assert ended.code == code
            assert len(ended.answers) == 1
        assert (await stream_status(served.address, STREAM, messages(1))).code == "UNAUTHENTICATED"


async def test_a_cancelled_call_is_counted_as_cancelled(serve: Serve) -> None:
    async with serve(Phone()) as served:
        value = served.registry.get_sample_value
        running = asyncio.create_task(call(served, "slow"))
        await until(lambda: value("bossjy_calls_running") == 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await until(lambda: value("bossjy_calls_running") == 0)
        labels = {
            "grpc_type": "unary",
            "grpc_service": "bossjy.phone.v1.PhoneService",
            "grpc_method": "ValidateNumber",
        }
        await until(lambda: value("grpc_server_handled_total", {**labels, "grpc_code": "CANCELLED"}) == 1)
        (line,) = lines(served)
    assert line["code"] == "CANCELLED"
