"""Consecutive wrong one-time codes: counted in the database, bounded, and recovery of an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pyotp
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import PASSWORD, Clock, Opened, User, reason_of, register
from tests.integration.auth.test_second_factor import turned_on

MOST = 5
# These tests do not cover the throttle of logins.
LIMITS = {"wrong_codes_max": MOST, "account_failures": 10_000, "address_failures": 10_000, "hash_queue_per_thread": 100}


def wrong(totp: pyotp.TOTP, clock: Clock) -> str:
    """Six digits that are not a valid code."""
    near = {totp.at(int(clock()) + off) for off in range(-120, 121, 30)}
    return next(code for code in (f"{number:06}" for number in range(1000)) if code not in near)


Attempt = Callable[[User, str], Awaitable[Any]]


async def log_in(user: User, code: str) -> Any:
    return await user.login(totp_code=code)


async def begin(user: User, code: str) -> Any:
    return await user.call("BeginSecondFactor", password=PASSWORD, totp_code=code)


async def remove(user: User, code: str) -> Any:
    return await user.call("RemoveSecondFactor", password=PASSWORD, totp_code=code)


async def actions(owner: User) -> list[str]:
    return [event.action for event in (await owner.call("ListAuditEvents", page_size=500)).events]


@pytest.mark.parametrize("attempt", [log_in, begin, remove])
async def test_after_the_bound_the_right_code_is_refused_too(opened: Opened, clock: Clock, attempt: Attempt) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        totp, codes = await turned_on(owner, clock)
        for _ in range(MOST):
            assert await reason_of(attempt(owner, wrong(totp, clock))) is Reason.LOGIN_REFUSED
        for other in (log_in, begin, remove):
            assert await reason_of(other(owner, totp.at(int(clock())))) is Reason.SECOND_FACTOR_LOCKED
        found = await actions(owner)
        assert found.count("auth.use_second_factor") == MOST
        assert found.count("auth.lock_second_factor") == 1
        # A wrong recovery code changes nothing; a right one makes one-time codes valid again.
        assert await reason_of(log_in(owner, "aaaa-aaaa-aaaa-aaaa")) is Reason.LOGIN_REFUSED
        assert await reason_of(log_in(owner, totp.at(int(clock())))) is Reason.SECOND_FACTOR_LOCKED
        await log_in(owner, codes[0])
        await log_in(owner, totp.at(int(clock())))


async def test_a_right_code_begins_the_count_again(opened: Opened, clock: Clock) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        totp, _ = await turned_on(owner, clock)
        for _ in range(3):
            for _ in range(MOST - 1):
                assert await reason_of(log_in(owner, wrong(totp, clock))) is Reason.LOGIN_REFUSED
            code = totp.at(int(clock()))
            await log_in(owner, code)
            # The same code again is wrong.
            assert await reason_of(log_in(owner, code)) is Reason.LOGIN_REFUSED
            clock.ahead_s += 30
            await log_in(owner, totp.at(int(clock())))
            clock.ahead_s += 30


async def test_the_count_outlives_the_server(opened: Opened, clock: Clock) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        totp, _ = await turned_on(owner, clock)
        for _ in range(MOST):
            assert await reason_of(log_in(owner, wrong(totp, clock))) is Reason.LOGIN_REFUSED
    async with opened(**LIMITS) as auth:
        again = User(auth, tenant_id=owner.tenant_id)
        assert await reason_of(log_in(again, totp.at(int(clock())))) is Reason.SECOND_FACTOR_LOCKED


async def test_parallel_wrong_codes_do_not_exceed_the_bound(opened: Opened, clock: Clock, database: Database) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        for _ in range(5):
            totp, codes = await turned_on(owner, clock)
            code = wrong(totp, clock)
            tries = [asyncio.create_task(reason_of(log_in(owner, code))) for _ in range(4 * MOST)]
            ended = await asyncio.gather(*tries)
            assert ended.count(Reason.LOGIN_REFUSED) == MOST
            assert ended.count(Reason.SECOND_FACTOR_LOCKED) == 3 * MOST
            async with database.tenant(owner.tenant_id) as connection:
                assert await connection.fetchval("SELECT wrong_codes FROM bossjy.second_factors") == MOST
            await remove(owner, codes[0])


async def test_an_administrator_ends_it(opened: Opened, clock: Clock) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        bob = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
        totp, _ = await turned_on(bob, clock)

        async def bobs_login(code: str) -> User:
            return await bob.login("bob@example.com", totp_code=code)

        for _ in range(MOST):
            assert await reason_of(bobs_login(wrong(totp, clock))) is Reason.LOGIN_REFUSED
        assert await reason_of(bobs_login(totp.at(int(clock())))) is Reason.SECOND_FACTOR_LOCKED
        await owner.call("RemoveUserSecondFactor", user_id=bob.user_id)
        again = await bobs_login("")
        totp, _ = await turned_on(again, clock)
        await bobs_login(totp.at(int(clock())))


async def test_codes_of_a_new_secret_are_bounded_as_well(opened: Opened, clock: Clock) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        totp = pyotp.TOTP((await begin(owner, "")).secret)

        async def confirm(code: str) -> Any:
            return await owner.call("ConfirmSecondFactor", totp_code=code)

        for _ in range(MOST):
            assert await reason_of(confirm(wrong(totp, clock))) is Reason.LOGIN_REFUSED
        assert await reason_of(confirm(totp.at(int(clock())))) is Reason.SECOND_FACTOR_LOCKED
        totp = pyotp.TOTP((await begin(owner, "")).secret)
        await confirm(totp.at(int(clock())))
        assert (await owner.call("GetMe")).user.second_factor


async def test_without_the_password_no_code_is_counted(opened: Opened, clock: Clock) -> None:
    async with opened(**LIMITS) as auth:
        owner = await register(auth)
        totp, _ = await turned_on(owner, clock)
        for _ in range(2 * MOST):
            with pytest.raises(BossjyError):
                await owner.login(password="a wrong password", totp_code=wrong(totp, clock))
        await log_in(owner, totp.at(int(clock())))
