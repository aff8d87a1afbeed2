"""Native front end, its parts: trailers, deadlines, the certificate's names, the size of metadata."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import b64decode
from typing import Any
from urllib.parse import unquote

import pytest
from google.protobuf.empty_pb2 import Empty

from bossjy_server.rpc.call import Call, Status
from bossjy_server.rpc.method import Access, Method
from bossjy_server.rpc.native.deadlines import within_deadline
from bossjy_server.rpc.native.grpc_calls import trailers_of
from bossjy_server.rpc.native.request import call_of, certified_names, metadata_bytes, seconds_of
from tests.integration.rpc.certificates import Authority

METHOD = Method("/a.B/C", "a.B", "C", Empty, False, False, Access(public=True))


def call(**headers: str) -> tuple[Call, Any]:
    entries = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"headers": entries, "client": ("::ffff:10.0.0.9", 5000)}
    return call_of(Call, METHOD, scope, None), scope


def test_trailers_carry_any_message() -> None:
    message = "100 % «fertig»\n次"
    trailers = dict(trailers_of(Status("INVALID_ARGUMENT", message, b"\0\xff details"), "id"))
    assert trailers[b"grpc-status"] == b"3"
    assert trailers[b"grpc-message"].isascii()
    assert b"\n" not in trailers[b"grpc-message"]
    assert unquote(trailers[b"grpc-message"].decode()) == message
    assert trailers[b"grpc-message"].startswith(b"100 %25 ")
    details = trailers[b"grpc-status-details-bin"]
    assert b64decode(details + b"=" * (-len(details) % 4)) == b"\0\xff details"
    assert dict(trailers_of(Status(), "id")) == {b"grpc-status": b"0", b"x-request-id": b"id"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5S", 5), ("1H", 3600), ("2M", 120), ("500m", 0.5), ("7u", 7e-6), ("9n", 9e-9), ("", None), ("-1S", None)],
)
def test_timeouts(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == (None if seconds is None else pytest.approx(seconds))


async def test_the_deadline_cancels_the_handler() -> None:
    ended = []

    async def proceed(_: Call) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    one, _ = call(grpc_timeout="20m")
    await within_deadline(proceed, one)
    assert (one.status.code, one.status.reason, ended) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", [True])
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_another_cancellation_is_not_the_deadline() -> None:
    began = asyncio.Event()

    async def proceed(_: Call) -> None:
        began.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(within_deadline(proceed, call(grpc_timeout="50S")[0]))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_call_that_ignores_its_deadline_keeps_its_answer() -> None:
    async def proceed(one: Call) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            one.reply = b"late"

    one, _ = call(grpc_timeout="20m")
    await within_deadline(proceed, one)
    assert (one.status.code, one.reply) == ("OK", b"late")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_origin_and_metadata() -> None:
    one, scope = call(authorization="Bearer x", user_agent="me")
    assert (one.context.address, one.context.network) == ("10.0.0.9", "10.0.0.9")
    assert (one.metadata["authorization"], one.context.user_agent, one.repeated) == ("Bearer x", "me", frozenset())
    assert metadata_bytes(one, scope["headers"]) == len("authorizationBearer xuser-agentme") + 64
    scope["headers"] *= 2
    twice = call_of(Call, METHOD, scope, None)
    assert twice.repeated == {"authorization", "user-agent"}
    assert metadata_bytes(twice, scope["headers"]) == 2 * metadata_bytes(one, scope["headers"][:2])
    assert call_of(Call, METHOD, {"headers": []}, None).context.network == "unix"


def test_names_in_the_client_certificate() -> None:
    def names(name: str, *uris: str) -> tuple[str, ...]:
        pem = Authority().sign(name, *uris).certificate.decode()
        return certified_names({"extensions": {"tls": {"client_cert_chain": (pem,)}}})

    assert names("worker") == ("CN=worker",)
    assert names("worker", "spiffe://acme/a") == ("spiffe://acme/a",)
    assert names("worker", "spiffe://acme/a", "spiffe://acme/b") == ("spiffe://acme/a", "spiffe://acme/b")
    assert certified_names({"extensions": {"tls": {"client_cert_chain": ()}}}) == ()
    assert certified_names({}) == ()


def test_the_usual_server_does_not_import_it() -> None:
    program = (
        "import sys, bossjy_server.app; print([one for one in sys.modules if 'h2corn' in one or 'rpc.native' in one])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
