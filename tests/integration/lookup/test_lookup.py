"""Look-ups on a real Redis, by a real server on loopback: cache, budget, breaker, retries, pauses, deadlines."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bossjy_server.context import CallContext, enter_call
from bossjy_server.errors import BossjyError, Reason, StartError, Unavailable
from bossjy_server.lookup.budget import Budget
from bossjy_server.lookup.lookup import Lookup
from bossjy_server.lookup.metrics import LookupCollector
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.lookup.service import open_lookup
from bossjy_server.storage.breaker import State
from bossjy_server.storage.redis import GuardedRedis, open_redis
from tests.integration.lookup.loopback import NUMBER, Loopback, loopback, reply, told

Open = Callable[..., Awaitable[Lookup]]


def mac(purpose: str, *parts: bytes) -> bytes:
    """Replaces the service's keyed digest."""

    return hashlib.sha256(b"\0".join((b"key", purpose.encode(), *parts))).digest()


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with loopback() as one:
        yield one


@pytest.fixture
async def opened(server: Loopback, redis: GuardedRedis) -> AsyncIterator[Open]:
    """Opens look-ups as one process does; call it again for another process."""
    async with AsyncExitStack() as stack:

        async def open_one(**changed: Any) -> Lookup:
            options = replace(LookupOptions(url=server.url, per_second=1000), **changed)
            lookup = await stack.enter_async_context(open_lookup(redis, options, mac))
            assert lookup
            return lookup

        yield open_one


def state(lookup: Lookup) -> State:
    return lookup.breaker.state


async def refusal(lookup: Lookup, number: str = NUMBER) -> BossjyError:
    with pytest.raises(BossjyError) as caught:
        await lookup.of("tenant", number)
    assert "13800000000" not in str(caught.value) + str(caught.value.__cause__)
    return caught.value


async def spent(lookup: Lookup, number: str) -> dict[str, str]:
    """The metadata of the refusal by a spent budget, without the retry delay."""
    error = await refusal(lookup, number)
    assert (error.kind.value, error.reason) == ("RESOURCE_EXHAUSTED", Reason.LOOKUP_BUDGET_SPENT)
    assert error.retry_after_s
    assert 0 < error.retry_after_s <= 86_400
    return dict(error.metadata)


async def test_an_answer_is_kept_for_all_processes_and_for_one_tenant(
    server: Loopback, opened: Open, redis: GuardedRedis
) -> None:
    one, other = await opened(), await opened()
    first = await one.of("tenant", NUMBER)
    assert first
    assert (first.carrier, first.line_status, first.ported) == ("Moon Mobile", "active", True)
    assert abs(first.time_s - time.time()) < 60
    assert await one.of("tenant", NUMBER) == await other.of("tenant", NUMBER) == first
    assert len(server.heads) == 1
    await one.of("another", NUMBER)
    assert len(server.heads) == 2
    stored = [str(key) + str(await redis.get(key)) for key in await redis.keys("*")]
    assert stored
    assert not any("13800000000" in text for text in stored)


async def test_that_a_number_is_not_known_is_kept_too(server: Loopback, opened: Open) -> None:
    server.then = reply(404)
    lookup = await opened()
    assert [await lookup.of("tenant", NUMBER) for _ in range(3)] == [None] * 3
    assert len(server.heads) == 1
    assert lookup.ends == {"unknown": 1}
    short = await opened(unknown_ttl_s=0.05, carrier="/other")
    assert await short.of("tenant", NUMBER) is None
    await asyncio.sleep(0.1)
    assert await short.of("tenant", NUMBER) is None
    assert len(server.heads) == 3


async def test_answers_of_other_settings_are_not_given(server: Loopback, opened: Open) -> None:
    server.then = told(carrier="Moon", owner="Sun")
    for pointer, carrier in (("/carrier", "Moon"), ("/owner", "Sun")):
        lookup = await opened(carrier=pointer)
        answer = await lookup.of("tenant", NUMBER)
        assert answer
        assert answer.carrier == carrier


async def test_of_many_that_ask_the_same_one_question_goes_out(server: Loopback, opened: Open) -> None:
    server.delay_s = 0.2
    lookup = await opened()
    answers = await asyncio.gather(*(lookup.of("tenant", NUMBER) for _ in range(20)))
    assert len({answer and answer.carrier for answer in answers}) == len(server.heads) == 1


async def test_look_ups_at_once_are_bounded(server: Loopback, opened: Open) -> None:
    server.delay_s = 2.0
    lookup = await opened(running=2, timeout_s=30.0)
    running = [asyncio.create_task(lookup.of("tenant", f"+861380000000{one}")) for one in range(2)]
    while len(server.heads) < 2:
        await asyncio.sleep(0.01)
    error = await refusal(lookup)
    assert (error.kind.value, error.reason) == ("RESOURCE_EXHAUSTED", Reason.OVERLOADED)
    assert all(await asyncio.gather(*running))
    assert await lookup.of("tenant", NUMBER)


async def test_the_budget_of_a_day_is_one_for_all_processes(server: Loopback, opened: Open) -> None:
    one, other = await opened(per_day=2), await opened(per_day=2)
    assert await one.of("tenant", NUMBER)
    assert await other.of("another", NUMBER)
    for lookup in (one, other):
        assert await spent(lookup, "+8613800000001") == {"limit": "2", "per": "day", "subject": "server"}
    assert await one.of("tenant", NUMBER)  # cached answers cost nothing
    assert len(server.heads) == 2
    assert one.breaker.state is State.CLOSED


async def test_the_budget_of_a_second_comes_back(redis: GuardedRedis) -> None:
    now = 1_800_000_000.25
    budget = Budget(redis, 2, 100, clock=lambda: now)
    await budget.take("tenant")
    await budget.take("tenant")
    with pytest.raises(BossjyError) as caught:
        await budget.take("tenant")
    assert caught.value.metadata == {"limit": "2", "per": "second", "subject": "server"}
    assert caught.value.retry_after_s == pytest.approx(0.75)
    now += 1
    await budget.take("tenant")


async def test_one_tenant_has_no_more_than_its_share_of_the_day(server: Loopback, opened: Open) -> None:
    one, other = await opened(tenant_per_day=2), await opened(tenant_per_day=2)
    for lookup, number in ((one, NUMBER), (other, "+8613800000001")):
        assert await lookup.of("tenant", number)
    for lookup in (one, other):
        assert await spent(lookup, "+8613800000002") == {"limit": "2", "per": "day", "subject": "tenant"}
    assert await one.of("another", NUMBER)
    assert len(server.heads) == 3


async def test_counts_of_the_budget_end_by_themselves(redis: GuardedRedis) -> None:
    await Budget(redis, 2, 100, tenant_per_day=1).take("tenant")
    keys = await redis.keys("bossjy:{lookup}:*")
    assert len(keys) == 3
    assert all([0 < await redis.ttl(key) <= 172_800 for key in keys])


async def test_without_redis_no_query_is_sent(server: Loopback) -> None:
    gone = open_redis("redis://127.0.0.1:1")
    async with open_lookup(gone, LookupOptions(url=server.url), mac) as lookup:
        assert lookup
        error = await refusal(lookup)
        assert (error.kind.value, error.reason, error.retry_after_s) == ("UNAVAILABLE", Reason.LOOKUP_UNAVAILABLE, 1.0)
    assert not server.heads
    await gone.aclose()


async def test_a_lost_query_is_retried_once_and_counted(server: Loopback, opened: Open, redis: GuardedRedis) -> None:
    server.first = [None]
    lookup = await opened()
    assert await lookup.of("tenant", NUMBER)
    assert len(server.heads) == 2
    (day,) = await redis.keys("bossjy:{lookup}:day:*")
    assert await redis.get(day) == b"2"
    assert lookup.ends == {"failed": 1, "found": 1}


async def test_a_wrong_answer_is_not_retried(server: Loopback, opened: Open) -> None:
    server.then = reply(body=b"<html>")
    error = await refusal(await opened())
    assert (error.kind.value, error.reason) == ("UNAVAILABLE", Reason.LOOKUP_UNAVAILABLE)
    assert "not a JSON" in str(error.__cause__)
    assert len(server.heads) == 1


async def test_the_breaker_opens_and_closes_again(server: Loopback, opened: Open) -> None:
    lookup, good = await opened(), server.then
    server.then = reply(401)
    for _ in range(3):
        await refusal(lookup)
    assert state(lookup) is State.OPEN
    asked = len(server.heads)
    error = await refusal(lookup)
    assert error.retry_after_s
    assert 0 < error.retry_after_s < 2
    assert error.__cause__ is None  # reported once, not for every call
    assert len(server.heads) == asked == 3
    server.then = good
    await asyncio.sleep(error.retry_after_s + 0.05)
    assert await lookup.of("tenant", NUMBER)
    assert state(lookup) is State.CLOSED


async def test_a_refused_budget_is_no_end_of_a_trial(server: Loopback, opened: Open) -> None:
    lookup, good = await opened(per_day=3), server.then
    server.then = reply(401)
    for _ in range(3):
        await refusal(lookup)
    server.then = good
    lookup.breaker._until = 0.0
    for _ in range(2):  # the next use is immediately a trial again
        assert (await refusal(lookup)).reason is Reason.LOOKUP_BUDGET_SPENT
    assert lookup.breaker.state is State.HALF_OPEN


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_provider_gets_the_pause_that_it_asks_for(server: Loopback, opened: Open, status: int) -> None:
    lookup = await opened()
    server.first = [reply(status, retry_after="3")]
    assert (await refusal(lookup)).retry_after_s == 3.0
    for number in (NUMBER, "+8613800000001"):
        error = await refusal(lookup, number)
        assert error.retry_after_s
        assert 0 < error.retry_after_s <= 3.0
    assert len(server.heads) == 1
    assert (lookup.breaker.state, lookup.ends) == (State.CLOSED, {"busy": 1})
    await asyncio.sleep(3.0)
    assert await lookup.of("tenant", NUMBER)


async def test_a_slow_provider_is_not_waited_for(server: Loopback, opened: Open) -> None:
    server.delay_s = 5.0
    lookup = await opened(timeout_s=0.2)
    error = await refusal(lookup)
    assert error.reason is Reason.LOOKUP_UNAVAILABLE
    assert lookup.ends == {"failed": 1}  # and not queried again


async def test_an_answer_that_drips_is_slow_too(server: Loopback, opened: Open) -> None:
    server.drip = True  # each byte comes in time, the whole does not
    lookup = await opened(timeout_s=0.3)
    error = await refusal(lookup)
    assert "within 0.3 s" in str(error.__cause__)


async def test_the_deadline_of_the_caller_ends_the_question_and_blames_nobody(server: Loopback, opened: Open) -> None:
    server.delay_s = 2.0
    lookup = await opened(timeout_s=30.0)

    async def hurried() -> BossjyError:
        enter_call(CallContext("id", "/m", deadline=time.monotonic() + 0.5))
        return await refusal(lookup)

    for _ in range(4):
        assert (await asyncio.create_task(hurried())).reason is Reason.DEADLINE_EXCEEDED
    assert state(lookup) is State.CLOSED
    hasty = asyncio.create_task(hurried())
    await asyncio.sleep(0.01)
    # It waited for the query of the call with a short deadline, then sent its own.
    assert await lookup.of("tenant", NUMBER)
    assert (await hasty).reason is Reason.DEADLINE_EXCEEDED


async def test_metrics_tell_how_questions_ended(server: Loopback, opened: Open) -> None:
    server.first = [told(), reply(404), reply(401), reply(429, retry_after="0")]
    lookup, registry = await opened(), CollectorRegistry()
    LookupCollector(registry, lookup)
    for last in range(4):
        with suppress(Unavailable):
            await lookup.of("tenant", f"+861380000000{last}")
    text = generate_latest(registry).decode()
    for end in ("found", "unknown", "failed", "busy"):
        assert f'bossjy_lookup_questions_total{{result="{end}"}} 1.0' in text
    without = CollectorRegistry()
    LookupCollector(without, None)
    assert not generate_latest(without)


async def test_no_provider_no_look_ups(redis: GuardedRedis) -> None:
    async with open_lookup(redis, LookupOptions(), mac) as lookup:
        assert lookup is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"header": ":"}, "BOSSJY_LOOKUP_HEADER"),
        ({"secret": "one\ntwo"}, "one line of printable ASCII"),
        ({"ca_file": "/nowhere/ca.pem"}, "BOSSJY_LOOKUP_CA_FILE cannot be read: No such file"),
    ],
)
async def test_an_unusable_provider_ends_the_start(
    redis: GuardedRedis, tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    options = replace(LookupOptions(url="https://numbers.example/{e164}"), **changed)
    with pytest.raises(StartError, match=says):
        await open_lookup(redis, options, mac).__aenter__()
