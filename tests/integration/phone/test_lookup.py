"""LookupNumber for a caller: a whole service with a provider on loopback, and one without a provider."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy.phone.v1.phone_service_pb2_grpc import PhoneServiceStub
from tests.integration.lookup.loopback import Loopback, loopback, reply, told
from tests.service import Service, serve
from tests.stream_status import reason_of

SECRET = "quiet harbour of the provider 5"


@pytest.fixture
async def provider() -> AsyncIterator[Loopback]:
    async with loopback() as one:
        yield one


@pytest.fixture
async def asking(provider: Loopback, database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service with that provider."""
    changed = {
        "BOSSJY_LOOKUP_URL": provider.url,
        "BOSSJY_LOOKUP_SECRET": SECRET,
        "BOSSJY_LOOKUPS_PER_DAY": "3",
    }
    async for one in serve(database_url, redis_url, tmp_path, **changed):
        yield one


async def look_up(service: Service, text: str, region: str = "", token: str = "") -> pb.LookupNumberResponse:
    stub: Any = PhoneServiceStub(service.channel)
    metadata = (("authorization", f"Bearer {token}"),) if token else service.metadata
    request = pb.LookupNumberRequest(phone_number=text, default_region=region)
    answer: pb.LookupNumberResponse = await stub.LookupNumber(request, metadata=metadata)
    return answer


@asynccontextmanager
async def refused(code: str, reason: str) -> AsyncIterator[None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert (caught.value.code().name, reason_of(caught.value)) == (code, reason)


async def test_what_the_provider_says(asking: Service, provider: Loopback) -> None:
    first = await look_up(asking, "138 0013 8000", "CN")
    assert (first.number.e164, first.number.valid, bool(first.number.metadata_version)) == (
        "+8613800138000",
        True,
        True,
    )
    assert (first.outcome, first.carrier, first.line_status) == (
        number_pb2.LOOKUP_OUTCOME_FOUND,
        "Moon Mobile",
        "active",
    )
    assert first.ported
    assert abs(first.lookup_time.ToSeconds() - time.time()) < 60
    assert list(first.number.warnings) == [number_pb2.NUMBER_WARNING_REGION_ASSUMED]
    del first.number.warnings[:]
    assert await look_up(asking, "+8613800138000") == first
    assert len(provider.heads) == 1
    assert f"authorization: {SECRET}" in provider.heads[0].lower()
    provider.first = [told(), reply(404)]
    untold = await look_up(asking, "+16502530000")
    assert (untold.outcome, untold.carrier) == (number_pb2.LOOKUP_OUTCOME_FOUND, "")
    assert not untold.HasField("ported")
    unknown = await look_up(asking, "+16502530001")
    assert (unknown.outcome, unknown.HasField("lookup_time")) == (number_pb2.LOOKUP_OUTCOME_UNKNOWN, False)
    async with refused("RESOURCE_EXHAUSTED", "LOOKUP_BUDGET_SPENT"):
        await look_up(asking, "+16502530002")
    assert len(provider.heads) == 3


async def test_what_is_not_valid_is_not_asked_about(asking: Service, provider: Loopback) -> None:
    for text in ("", "no number", "+86 138", "+8610"):
        answer = await look_up(asking, text)
        assert (answer.outcome, answer.number.valid) == (number_pb2.LOOKUP_OUTCOME_NOT_VALID, False)
    assert not provider.heads


async def test_a_provider_that_fails_is_told_and_logged_without_number_or_secret(
    asking: Service, provider: Loopback
) -> None:
    provider.then = reply(401)
    async with refused("UNAVAILABLE", "LOOKUP_UNAVAILABLE"):
        await look_up(asking, "+8613800138000")
    log = asking.settings.process.data_dir / "logs" / "bossjy.log"
    until = time.monotonic() + 60
    while "answered 401" not in (text := log.read_text()):
        assert time.monotonic() < until
    assert not any(part in text for part in (SECRET, "13800138000", f":{provider.port}/v1"))


async def test_a_key_without_the_scope_asks_nobody(asking: Service, provider: Loopback) -> None:
    auth: Any = auth_service_pb2_grpc.AuthServiceStub(asking.channel)
    for scope, allowed in (("phone.read", False), ("phone.lookup", True)):
        new = auth_service_pb2.CreateApiKeyRequest(display_name="k", scopes=[scope])
        key = (await auth.CreateApiKey(new, metadata=asking.metadata)).secret
        if allowed:
            assert (await look_up(asking, "+8613800138000", token=key)).carrier == "Moon Mobile"
        else:
            async with refused("PERMISSION_DENIED", "SCOPE_MISSING"):
                await look_up(asking, "+8613800138000", token=key)
            assert not provider.heads


async def test_without_a_provider(service: Service) -> None:
    async with refused("FAILED_PRECONDITION", "LOOKUP_NOT_CONFIGURED"):
        await look_up(service, "+8613800138000")
