from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import grpc
import grpc.aio
import pytest

from bossjy.phone.v1 import phone_service_pb2
from bossjy_client import (
    BossjyError,
    Client,
    ClientConfig,
    ConflictError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PermissionDeniedError,
    SessionSource,
    SessionTokens,
    UnauthenticatedError,
    UnavailableError,
)
from tests.unit.client.conftest import Start
from tests.unit.client.double import Context, refuse

Answer = Callable[[Context], Awaitable[None]]


@dataclass
class PhoneDouble:
    """Runs `answers` in order, each of which may end the call; then answers that all is valid."""

    answers: list[Answer] = field(default_factory=list)
    calls: int = 0
    authorizations: list[str] = field(default_factory=list)

    def add_to(self, server: grpc.aio.Server) -> None:
        handlers = {
            "ValidateNumber": grpc.unary_unary_rpc_method_handler(
                self.ValidateNumber,
                phone_service_pb2.ValidateNumberRequest.FromString,
                phone_service_pb2.ValidateNumberResponse.SerializeToString,
            )
        }
        handler = grpc.method_handlers_generic_handler("bossjy.phone.v1.PhoneService", handlers)
        server.add_generic_rpc_handlers((handler,))

    async def ValidateNumber(
        self, request: phone_service_pb2.ValidateNumberRequest, context: Context
    ) -> phone_service_pb2.ValidateNumberResponse:
        self.calls += 1
        metadata = dict(context.invocation_metadata() or ())
        self.authorizations.append(str(metadata.get("authorization", "")))
        if self.answers:
            await self.answers.pop(0)(context)
        return phone_service_pb2.ValidateNumberResponse(valid=True)


def refusing(code: grpc.StatusCode, reason: str, *, retry_after_s: float | None = None) -> Answer:
    async def answer(context: Context) -> None:
        await refuse(context, code, reason, retry_after_s=retry_after_s)

    return answer


async def ask(start: Start, config: ClientConfig, double: PhoneDouble) -> bool:
    server = await start(double.add_to)
    async with await Client.connect(server.target, token="key", config=config) as client:
        return (await client.phone.validate("+86 138 0000 0000")).valid


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequestError),
        (grpc.StatusCode.OUT_OF_RANGE, InvalidRequestError),
        (grpc.StatusCode.UNAUTHENTICATED, UnauthenticatedError),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDeniedError),
        (grpc.StatusCode.NOT_FOUND, NotFoundError),
        (grpc.StatusCode.FAILED_PRECONDITION, ConflictError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, LimitError),
        (grpc.StatusCode.INTERNAL, BossjyError),
    ],
)
async def test_a_refusal_is_reported_once_with_its_details(
    start: Start, quick: ClientConfig, code: grpc.StatusCode, kind: type[BossjyError]
) -> None:
    async def answer(context: Context) -> None:
        await refuse(
            context,
            code,
            "THE_REASON",
            "do this",
            retry_after_s=2.5,
            fields=(("phone_number", "is too long"),),
            metadata={"limit": "5"},
        )

    double = PhoneDouble([answer])
    with pytest.raises(BossjyError) as caught:
        await ask(start, quick, double)
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.reason, error.message) == (code.name, "THE_REASON", "do this")
    assert (error.retry_after_s, error.request_id, error.metadata) == (2.5, "call-1", {"limit": "5"})
    assert [(one.field, one.description) for one in error.violations] == [("phone_number", "is too long")]
    assert str(error) == "do this; phone_number: is too long"
    assert double.calls == 1


async def test_status_without_details(start: Start, quick: ClientConfig) -> None:
    async def answer(context: Context) -> None:
        await context.abort(
            grpc.StatusCode.NOT_FOUND, "from a proxy", (("grpc-status-details-bin", b"\xff\xff no message"),)
        )

    with pytest.raises(NotFoundError, match="from a proxy") as caught:
        await ask(start, quick, PhoneDouble([answer]))
    assert caught.value.reason == ""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"),
        (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED"),
        (grpc.StatusCode.CANCELLED, ""),
    ],
)
async def test_passing_refusal_is_waited_out(
    start: Start, quick: ClientConfig, code: grpc.StatusCode, reason: str
) -> None:
    double = PhoneDouble([refusing(code, reason)] * 3)
    assert await ask(start, quick, double)
    assert double.calls == 4


async def test_tries_are_bounded(start: Start, quick: ClientConfig) -> None:
    double = PhoneDouble([refusing(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")] * 100)
    with pytest.raises(UnavailableError):
        await ask(start, quick, double)
    assert double.calls == quick.max_attempts


async def test_server_is_given_the_time_that_it_asks_for(start: Start, quick: ClientConfig) -> None:
    config = replace(quick, max_backoff_s=1.0)
    double = PhoneDouble([refusing(grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN", retry_after_s=0.4)])
    began = time.monotonic()
    assert await ask(start, config, double)
    assert time.monotonic() - began >= 0.39  # the loop's timers are exact to a millisecond


async def test_a_wait_beyond_the_longest_is_reported(start: Start, quick: ClientConfig) -> None:
    double = PhoneDouble([refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry_after_s=60)])
    with pytest.raises(LimitError) as caught:
        await ask(start, quick, double)
    assert caught.value.retry_after_s == 60
    assert double.calls == 1


async def test_the_deadline_covers_all_tries(start: Start, quick: ClientConfig) -> None:
    async def slow(context: Context) -> None:
        await asyncio.sleep(100)

    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        await ask(start, replace(quick, timeout_s=0.5), PhoneDouble([slow] * 9))
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began < 50


async def test_nothing_there(quick: ClientConfig) -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1: the connection is refused: check the address"):
        await Client.connect("127.0.0.1:1", config=quick)


def tokens(number: int, *, lasts_s: float = 600.0) -> SessionTokens:
    return SessionTokens(f"access-{number}", f"refresh-{number}", time.time() + lasts_s)


async def test_expired_token_is_renewed_once_for_all_callers(start: Start, quick: ClientConfig) -> None:
    """Ten calls are rejected with the same old token; one refresh serves all of them."""
    exchanged: list[str] = []

    async def refresh(old: SessionTokens) -> SessionTokens:
        exchanged.append(old.refresh_token)
        await asyncio.sleep(0.05)
        return tokens(2)

    class Expiring(PhoneDouble):
        async def ValidateNumber(
            self, request: phone_service_pb2.ValidateNumberRequest, context: Context
        ) -> phone_service_pb2.ValidateNumberResponse:
            answer = await super().ValidateNumber(request, context)
            if self.authorizations[-1] == "Bearer access-1":
                await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
            return answer

    double = Expiring()
    server = await start(double.add_to)
    source = SessionSource(tokens(1), refresh)
    async with await Client.connect(server.target, tokens=source, config=quick) as client:
        answers = await asyncio.gather(*(client.phone.validate("1") for _ in range(10)))
    assert all(answer.valid for answer in answers)
    assert exchanged == ["refresh-1"]
    assert set(double.authorizations) == {"Bearer access-1", "Bearer access-2"}


async def test_token_is_renewed_before_it_ends(start: Start, quick: ClientConfig) -> None:
    async def refresh(old: SessionTokens) -> SessionTokens:
        return tokens(2)

    double = PhoneDouble()
    server = await start(double.add_to)
    source = SessionSource(tokens(1, lasts_s=10), refresh)
    async with await Client.connect(server.target, tokens=source, config=quick) as client:
        await client.phone.validate("1")
    assert double.authorizations == ["Bearer access-2"]


async def test_refused_credentials_are_not_repeated(start: Start, quick: ClientConfig) -> None:
    double = PhoneDouble([refusing(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")] * 5)
    with pytest.raises(UnauthenticatedError):
        await ask(start, quick, double)
    assert double.calls == 1


def test_secrets_stay_out_of_texts() -> None:
    assert "access-1" not in repr(tokens(1))
    assert "refresh-1" not in repr(tokens(1))


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ("127.0.0.1:18001", True),
        ("localhost:18001", True),
        ("[::1]:18001", True),
        ("ipv4:127.0.0.1:18001", False),
        ("dns:///localhost:18001", True),
        ("unix:/tmp/socket", True),
        ("10.0.0.1:18001", False),
        ("bossjy.example.com:443", False),
        ("localhost.example.com:443", False),
    ],
)
def test_tokens_leave_this_machine_only_with_tls(target: str, plain: bool) -> None:  # noqa: FBT001 (a parameter)
    assert ClientConfig().speaks_plaintext(target) is plain
    assert ClientConfig(plaintext=True).speaks_plaintext(target)
    assert not ClientConfig(plaintext=False).speaks_plaintext(target)
    # Certificates imply TLS, on this machine as well.
    assert not ClientConfig(root_certificates=b"PEM").speaks_plaintext(target)
    assert not ClientConfig(certificate=(b"PEM", b"PEM")).speaks_plaintext(target)
