from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import asyncpg
import pytest

from bossjy_server.auth import store
from bossjy_server.auth.login.sessions import Client
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.service import Auth
from bossjy_server.errors import BossjyError, Reason, ResourceExhausted
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import open_redis
from tests.integration.auth.conftest import EMAIL, PASSWORD, Clock, Opened, User, reason_of, register


async def test_letter_case_of_the_address_does_not_count(owner: User) -> None:
    user = await owner.login("ANN@Example.COM")
    assert user.user_id == owner.user_id
    assert user.session_id != owner.session_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "violet lamp over rivers"},
        {"email": "bob@example.com"},
        {"tenant_id": "nobody"},
        {"tenant_id": "' OR 1=1"},
        {"password": ""},
        {"email": ""},
    ],
)
async def test_every_wrong_login_gets_the_same_answer(owner: User, wrong: dict[str, str]) -> None:
    fields = {"tenant_id": owner.tenant_id, "email": EMAIL, "password": PASSWORD} | wrong
    with pytest.raises(BossjyError) as caught:
        await User(owner.auth).call("Login", **fields)
    assert caught.value.reason is Reason.LOGIN_REFUSED
    assert caught.value.message == ("tenant, mail address and password do not match: check all three")
    assert not caught.value.metadata


async def test_response_times_do_not_reveal_users(opened: Opened) -> None:
    async with opened(account_failures=100, address_failures=1000) as auth:
        owner = await register(auth)
        times: dict[str, list[float]] = {EMAIL: [], "bob@example.com": []}
        for _ in range(20):
            for email, taken in times.items():
                began = time.perf_counter()
                assert await reason_of(owner.login(email, "a wrong password")) is Reason.LOGIN_REFUSED
                taken.append(time.perf_counter() - began)
    # The shortest of each: other load on the machine only lengthens some.
    known, unknown = (min(taken) for taken in times.values())
    # Without the hash that is computed for an unknown user, the second would be a fifth of the first.
    assert 0.6 < unknown / known < 1.7


async def test_guesses_are_slowed_down_and_nobody_is_locked_out(opened: Opened) -> None:
    # Redis keeps its own time, so the bucket is small and refills soon, but not before four logins on a busy machine.
    async with opened(account_failures=3, account_failure_s=5.0) as auth:
        owner = await register(auth)
        for _ in range(3):
            assert await reason_of(owner.login(password="wrong")) is Reason.LOGIN_REFUSED
        with pytest.raises(ResourceExhausted) as caught:
            await owner.login()
        assert caught.value.reason is Reason.LOGIN_THROTTLED
        wait = caught.value.retry_after_s
        assert wait is not None
        assert 0 < wait <= 5.0
        # Another account of the same tenant from the same address is not affected.
        assert await reason_of(owner.login("bob@example.com", "wrong")) is Reason.LOGIN_REFUSED
        await asyncio.sleep(wait + 0.05)
        await owner.login()


async def test_parallel_guesses_get_no_further(opened: Opened) -> None:
    async with opened(account_failures=4, hash_queue_per_thread=50) as auth:
        owner = await register(auth)
        calls = (reason_of(owner.login(password=f"wrong {number}")) for number in range(30))
        reasons = await asyncio.gather(*calls)
    assert reasons.count(Reason.LOGIN_REFUSED) == 4
    assert reasons.count(Reason.LOGIN_THROTTLED) == 26


async def test_replicas_count_together(opened: Opened) -> None:
    async with opened(account_failures=2) as here, opened(account_failures=2) as there:
        owner = await register(here)
        elsewhere = replace(owner, auth=there)
        assert await reason_of(owner.login(password="wrong")) is Reason.LOGIN_REFUSED
        assert await reason_of(elsewhere.login(password="wrong")) is Reason.LOGIN_REFUSED
        # Only one was wrong here; refusals by Redis are not counted here.
        for _ in range(2):
            assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED
        assert await reason_of(elsewhere.login()) is Reason.LOGIN_THROTTLED
        # Another network of the same account has its own attempts.
        await replace(elsewhere, address="10.0.0.2").login()
        await replace(elsewhere, address="").login()


async def test_login_works_without_redis(opened: Opened) -> None:
    nowhere = open_redis("redis://127.0.0.1:1/0", timeout_s=0.1)
    async with opened(redis_client=nowhere, account_failures=1) as auth:
        owner = await register(auth)
        await owner.login()
        assert await reason_of(owner.login(password="wrong")) is Reason.LOGIN_REFUSED
        assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED
    await nowhere.aclose()


async def test_logins_that_succeed_are_not_counted(opened: Opened) -> None:
    async with opened(account_failures=2) as auth:
        owner = await register(auth)
        for _ in range(6):
            await owner.login()


async def test_an_address_is_slowed_down_over_all_accounts(opened: Opened) -> None:
    async with opened(address_failures=2) as auth:
        owner = await register(auth)
        for name in ("bob", "cleo"):
            assert await reason_of(owner.login(f"{name}@example.com")) is Reason.LOGIN_REFUSED
        assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED
        await replace(owner, address="10.0.0.2").login()


async def test_a_flood_is_shed(opened: Opened) -> None:
    async with opened(hash_queue_per_thread=2, account_failures=1000, address_failures=1000) as auth:
        owner = await register(auth)
        reasons = await asyncio.gather(*(reason_of(owner.login(password="wrong")) for _ in range(60)))
        await owner.login()
    assert (reasons.count(Reason.LOGIN_REFUSED), reasons.count(Reason.OVERLOADED)) == (6, 54)


async def test_a_hash_with_old_settings_is_renewed_at_login(owner: User, database_url: str) -> None:
    weak = Passwords(AuthOptions(argon2_memory_kib=8 * 1024, argon2_time_cost=1))
    with weak.slot() as place:
        old = await place.hash(PASSWORD)
    weak.close()
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE bossjy.users SET password_hash = $1", old)
        await asyncio.gather(*(owner.login() for _ in range(4)))
        stored = await connection.fetchval("SELECT password_hash FROM bossjy.users")
    finally:
        await connection.close()
    assert "m=12288,t=3,p=1" in stored
    await owner.login()


async def test_a_password_that_changed_while_it_was_checked_opens_nothing(
    owner: User, auth: Auth, database: Database
) -> None:
    async with database.tenant(owner.tenant_id) as connection:
        checked = await store.user(connection, owner.tenant_id, owner.user_id)
    await owner.call("ChangePassword", current_password=PASSWORD, new_password="seven quiet boats at noon")
    async with database.tenant(owner.tenant_id) as connection:
        opening = auth.servicer._sessions._open_checked(connection, checked, Client())
        assert await reason_of(opening) is Reason.LOGIN_REFUSED


async def test_a_user_has_so_many_sessions_and_no_more(opened: Opened, clock: Clock) -> None:
    async with opened(sessions_per_user_max=3) as auth:
        first = await register(auth)
        users = [first]
        for _ in range(3):
            clock.ahead_s += 1
            users.append(await first.login())
        assert await reason_of(first.call("GetMe")) is Reason.SESSION_ENDED
        for user in users[1:]:
            await user.call("GetMe")


async def test_sessions_that_ended_long_ago_are_forgotten(
    owner: User, clock: Clock, database_url: str, auth: Auth
) -> None:
    await owner.call("Logout")
    clock.ahead_s = 31 * 86_400.0
    await owner.login()
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM bossjy.sessions") == 1
    finally:
        await connection.close()
