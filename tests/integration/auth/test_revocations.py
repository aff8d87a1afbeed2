"""Revocations on one replica apply on the other; behaviour without Redis."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from redis.asyncio import Redis

from bossjy_server.auth.login.revocations import ENDED, Revocations
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.redis import open_redis
from tests.integration.auth.conftest import Clock, Opened, User, reason_of, register

NOWHERE = "redis://127.0.0.1:1/0"


async def until_refused(user: User, limit_s: float) -> Reason:
    """Call until it is refused. Returns the reason."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            await user.call("GetMe")
        except BossjyError:
            return await reason_of(user.call("GetMe"))
        await asyncio.sleep(0.05)
    raise AssertionError("the token still works")


async def test_a_logout_is_known_to_other_replicas_within_five_seconds(opened: Opened) -> None:
    async with opened() as here, opened() as there:
        user = await register(here)
        elsewhere = replace(user, auth=there)
        await elsewhere.call("GetMe")
        await user.call("Logout")
        assert await reason_of(user.call("GetMe")) is Reason.SESSION_ENDED
        assert await until_refused(elsewhere, 5) is Reason.SESSION_ENDED


async def test_a_replica_that_starts_later_knows_ended_sessions(opened: Opened) -> None:
    async with opened() as here:
        user = await register(here)
        await user.call("Logout")
    async with opened() as there:
        assert await reason_of(replace(user, auth=there).call("GetMe")) is Reason.SESSION_ENDED


async def test_a_new_role_counts_at_once_on_every_replica(opened: Opened) -> None:
    async with opened() as here, opened() as there:
        owner = await register(here)
        admin = await owner.new_user("bob@example.com", 3)
        elsewhere = replace(admin, auth=there)
        await elsewhere.call("ListUsers")
        await owner.call("UpdateUser", user={"user_id": admin.user_id, "role": 2})
        assert await reason_of(admin.call("GetMe")) is Reason.TOKEN_EXPIRED
        member = await admin.refreshed()
        assert "users.write" not in (await member.call("GetMe")).scopes
        assert await until_refused(elsewhere, 5) is Reason.TOKEN_EXPIRED
        assert "users.write" not in (await (await replace(member, auth=there).refreshed()).call("GetMe")).scopes


async def test_without_redis_access_tokens_stay_valid_by_default(opened: Opened) -> None:
    nowhere = open_redis(NOWHERE, timeout_s=0.1)
    async with opened(redis_client=nowhere, revocation_lost_s=0.0) as auth:
        user = await register(auth)
        await user.call("GetMe")
        user = await user.refreshed()
        second = await user.login()
        # A revocation here is known here.
        await second.call("Logout")
        assert await reason_of(second.call("GetMe")) is Reason.SESSION_ENDED
    await nowhere.aclose()


async def test_without_redis_tokens_are_refused_if_so_configured(opened: Opened) -> None:
    nowhere = open_redis(NOWHERE, timeout_s=0.1)
    async with opened(redis_client=nowhere, revocations_lost="refuse", revocation_lost_s=0.0) as auth:
        user = await register(auth)
        assert await reason_of(user.call("GetMe")) is Reason.CACHE_UNAVAILABLE
    await nowhere.aclose()


async def test_unsent_revocations_are_sent_when_redis_is_back(redis: Redis) -> None:
    options = AuthOptions()
    nowhere = open_redis(NOWHERE, timeout_s=0.1)
    here, there = Revocations(nowhere, options), Revocations(redis, options)
    await here.end(["one", "two"])
    await here.exchange()
    await there.exchange()
    assert there.cutoff("one") == 0
    here._redis = redis
    await here.exchange()
    await there.exchange()
    assert (there.cutoff("one"), there.cutoff("two")) == (ENDED, ENDED)
    await nowhere.aclose()


async def test_entries_are_forgotten_when_no_token_can_need_them(redis: Redis) -> None:
    clock = Clock()
    revocations = Revocations(redis, AuthOptions(), clock)
    await revocations.end(["one"])
    clock.ahead_s = 600
    await revocations.exchange()
    assert revocations.cutoff("one") == ENDED
    clock.ahead_s = 1300  # the stream was read once more in between, which keeps an entry as long again
    await revocations.exchange()
    assert revocations.cutoff("one") == 0


async def test_the_number_of_cutoffs_is_bounded(redis: Redis) -> None:
    revocations = Revocations(redis, AuthOptions(revocations_max=10))
    await revocations.end(f"s{number}" for number in range(25))
    assert len(revocations._cutoffs) == 10
    assert revocations.cutoff("s24") == ENDED
    assert revocations.cutoff("s14") == 0


async def test_a_long_stream_is_read_to_its_end(redis: Redis) -> None:
    here, there = Revocations(redis, AuthOptions()), Revocations(redis, AuthOptions())
    await here.end(f"s{number}" for number in range(2500))
    while here._untold:  # on a busy machine a batch may not be sent in time
        await here.exchange()
    await there.exchange()
    assert all(there.cutoff(f"s{number}") == ENDED for number in range(2500))


async def test_a_single_replica_needs_no_redis() -> None:
    revocations = Revocations(None, AuthOptions(revocations_lost="refuse", revocation_lost_s=0.0))
    await revocations.end(["one"])
    await revocations.exchange()
    await revocations.run()  # there is nothing to do, so it ends
    revocations.check_heard()
    assert revocations.cutoff("one") == ENDED


async def test_a_logout_does_not_wait_for_others(redis: Redis) -> None:
    here, there = Revocations(redis, AuthOptions()), Revocations(redis, AuthOptions())
    async with here._telling:
        await asyncio.wait_for(here.end(["one"]), 30)
    await here.exchange()
    await there.exchange()
    assert there.cutoff("one") == ENDED


async def test_an_entry_that_cannot_be_read_does_no_harm(redis: Redis) -> None:
    revocations = Revocations(redis, AuthOptions())
    await redis.xadd("bossjy:auth:cutoffs", {"session": "one", "cutoff": "soon"})
    await redis.xadd("bossjy:auth:cutoffs", {"other": "field"})
    await redis.xadd("bossjy:auth:cutoffs", {"session": "two", "cutoff": "7"})
    await revocations.exchange()
    await redis.xadd("bossjy:auth:cutoffs", {"user": "three", "revision": "many"})
    await revocations.renew("four", 7)
    await revocations.exchange()
    # An earlier release wrote a time for a session whose user got another role.
    assert [revocations.cutoff(name) for name in ("one", "two", "three", "four")] == [0, 0, 0, 7]


async def test_an_end_stays_an_end(redis: Redis) -> None:
    revocations = Revocations(redis, AuthOptions())
    await revocations.end(["one"])
    await revocations.renew("one", 7)
    assert revocations.cutoff("one") == ENDED
