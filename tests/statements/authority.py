"""Keys and refusals for the tests of authority: statements 41 to 46."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from bossjy.auth.v1 import account_pb2
from tests.statements.conftest import Person

MEMBER, ADMIN, OWNER = account_pb2.ROLE_MEMBER, account_pb2.ROLE_ADMIN, account_pb2.ROLE_OWNER
REFUSED = {"UNAUTHENTICATED", "PERMISSION_DENIED"}


@dataclass(frozen=True)
class Key:
    """An API key and its caller."""

    person: Person
    api_key_id: str
    ends: int


async def new_key(maker: Person, scopes: Sequence[str], ends: int | None = None) -> Key:
    fields: dict[str, Any] = {} if ends is None else {"expire_time": Timestamp(seconds=ends)}
    made = await maker.call("CreateApiKey", display_name="job", scopes=scopes, **fields)
    person = Person(maker.channel, maker.tenant_id, access=made.secret)
    return Key(person, made.api_key.api_key_id, made.api_key.expire_time.seconds)


async def missing_scope(call: Awaitable[Any]) -> str:
    """The missing scope in a refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    entries = {str(key): value for key, value in caught.value.trailing_metadata() or ()}
    info = error_details_pb2.ErrorInfo()
    raw = entries["grpc-status-details-bin"]
    assert isinstance(raw, bytes)
    assert any(detail.Unpack(info) for detail in status_pb2.Status.FromString(raw).details)
    assert info.reason == "SCOPE_MISSING"
    return str(info.metadata["scope"])


async def until(stop: asyncio.Event, person: Person, method: str, **fields: Any) -> list[Any]:
    """Call repeatedly until it is refused or the event is set. Returns the answers."""
    answers: list[Any] = []
    while True:
        outcome = await person.outcome(method, **fields)
        if outcome.code != "OK":
            return answers
        answers.append(outcome.answer)
        if stop.is_set():
            return answers
