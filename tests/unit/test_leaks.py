"""The search for leaks finds what was sent, however a log writes it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from tests.leaks import Sent, written

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"


@pytest.fixture
def sent() -> Sent:
    one = Sent()
    one.see(phone_service_pb2.ValidateNumberRequest(phone_number="+86 138-1234-5678"), None)
    one.see(
        auth_service_pb2.LoginRequest(email="a@b.cd", password="umbrella over a harbour"),
        (("authorization", f"Bearer {TOKEN}"), ("x-request-id", "not-a-secret-1")),
    )
    one.see(import_service_pb2.UploadRequest(), None)
    one.see(b"raw", None)
    return one


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "call", "number": "+8613812345678"}',
        "8613812345678",
        "at +86 (138) 1234-5678.",
        f'"token": "{TOKEN}"',
        "it was umbrella over a harbour, he said",
    ],
)
def test_what_was_sent_is_found(sent: Sent, line: str) -> None:
    (hit,) = sent.found_in(line)
    assert "5678" not in hit
    assert len(hit) < 30


@pytest.mark.parametrize(
    "line", ["", "13812345678", "[digits]", "not-a-secret-1", "2026-11-23T03:00:00.123456Z", "eyJ"]
)
def test_nothing_else_is_found(sent: Sent, line: str) -> None:
    assert sent.found_in(line) == []


def test_logs_are_searched_in_any_rotation(tmp_path: Path) -> None:
    for name in ("bossjy.log", "bossjy.log.1", "server0.log", "other.txt"):
        (tmp_path / name).touch()
    assert {path.name for path in written(tmp_path)} == {"bossjy.log", "bossjy.log.1", "server0.log"}


async def test_calls_of_this_run_are_seen(nothing_leaks: Sent) -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        call: Any = channel.unary_unary("/a/b", request_serializer=auth_service_pb2.LoginRequest.SerializeToString)
        request = auth_service_pb2.LoginRequest(password="a password of this one test")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(request, timeout=0.5)
    assert "a password of this one test" in nothing_leaks.secrets
