"""Logins while others guess at the account: known networks, their storage, replicas that count together."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from bossjy_server.auth.service import Auth
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import EMAIL, PASSWORD, Clock, Opened, User, reason_of, register

HOME = "2001:db8:1:1::1"
LIMITS = {"account_failures": 3, "account_failures_of_all": 4, "account_failure_of_all_s": 3600.0}


async def owner_at(auth: Auth, address: str = HOME) -> User:
    """The owner of a new tenant, with a session from that address."""
    return await replace(await register(auth), address=address).login()


async def attack(owner: User, first: int = 0, email: str = EMAIL) -> list[Reason]:
    """Six guesses from as many networks."""
    guessing = (replace(owner, address=f"198.18.0.{first + number}") for number in range(6))
    return [await reason_of(one.login(email, "a wrong password")) for one in guessing]


async def test_a_right_password_from_a_known_network_passes(opened: Opened) -> None:
    async with opened(**LIMITS) as auth:
        owner = await owner_at(auth)
        assert (await attack(owner))[3:] == [Reason.LOGIN_REFUSED, Reason.LOGIN_THROTTLED, Reason.LOGIN_THROTTLED]
        for address in (HOME, "2001:db8:1:1:9::9", HOME):
            await replace(owner, address=address).login()
        # Neither a right password from elsewhere nor a wrong one from there passes; the answer is the same.
        for address in ("203.0.113.1", "2001:db8:1:2::1", ""):
            assert await reason_of(replace(owner, address=address).login()) is Reason.LOGIN_THROTTLED
        for _ in range(3):
            assert await reason_of(owner.login(password="wrong")) is Reason.LOGIN_THROTTLED
        # The network's own attempts are used up now.
        assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED
        # An account that does not exist gets the same answers.
        reasons = await attack(owner, 20, "nobody@example.com")
        assert reasons == [Reason.LOGIN_REFUSED] * 4 + [Reason.LOGIN_THROTTLED] * 2


async def test_an_attack_on_the_tenant_keeps_nobody_out_either(opened: Opened) -> None:
    async with opened(tenant_failures=4, tenant_failure_s=3600.0) as auth:
        owner = await owner_at(auth)
        assert (await attack(owner, email="nobody@example.com"))[4:] == [Reason.LOGIN_THROTTLED] * 2
        await owner.login()
        assert await reason_of(replace(owner, address="203.0.113.1").login()) is Reason.LOGIN_THROTTLED
        # A signed-in user changes the password meanwhile.
        await owner.call("ChangePassword", current_password=PASSWORD, new_password="seven quiet boats at noon")


async def test_replicas_count_an_account_together(opened: Opened) -> None:
    async with opened(**LIMITS) as here, opened(**LIMITS) as there:
        owner = await owner_at(here)
        elsewhere = replace(owner, auth=there)
        assert (await attack(owner))[3:] == [Reason.LOGIN_REFUSED, Reason.LOGIN_THROTTLED, Reason.LOGIN_THROTTLED]
        # The memory there has no count: Redis has it.
        assert await reason_of(replace(elsewhere, address="203.0.113.1").login()) is Reason.LOGIN_THROTTLED
        await elsewhere.login()
        for _ in range(3):
            assert await reason_of(elsewhere.login(password="wrong")) is Reason.LOGIN_THROTTLED
        assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED


async def test_addresses_may_have_no_limit(opened: Opened) -> None:
    async with opened(address_failures=0) as auth:
        owner = await register(auth)
        for number in range(60):
            assert await reason_of(
                User(auth).call("Login", tenant_id=owner.tenant_id, email=f"a{number}@b.cd", password="x")
            ) is (Reason.LOGIN_REFUSED)


async def test_so_many_networks_are_kept_and_for_so_long(opened: Opened, clock: Clock, database_url: str) -> None:
    options = {"known_networks_max": 3, "known_network_s": 10 * 86_400, "session_lifetime_s": 30 * 86_400}
    async with opened(**LIMITS, **options) as auth:
        owner = await owner_at(auth, "192.0.2.1")
        for number in range(2, 6):
            clock.ahead_s += 60
            await replace(owner, address=f"192.0.2.{number}").login()
        connection = await asyncpg.connect(database_url)
        try:
            kept = await connection.fetch("SELECT network_mac FROM bossjy.login_networks")
            assert len(kept) == 3
            assert all(len(row["network_mac"]) == 32 for row in kept)
            # Sessions of this release record addresses as well; this test is about only the stored networks.
            await connection.execute("UPDATE bossjy.sessions SET address = ''")
            await attack(owner)
            await replace(owner, address="192.0.2.5").login()
            await connection.execute("UPDATE bossjy.sessions SET address = ''")
            assert await reason_of(replace(owner, address="192.0.2.2").login()) is Reason.LOGIN_THROTTLED
            clock.ahead_s += 11 * 86_400
            assert await reason_of(replace(owner, address="192.0.2.5").login()) is Reason.LOGIN_THROTTLED
            # A session of an earlier release records the network by its address.
            await connection.execute(
                "UPDATE bossjy.sessions SET address = '192.0.2.77', create_time = now() + interval '10 days' "
                "WHERE session_id = $1",
                owner.session_id,
            )
            await replace(owner, address="192.0.2.77").login()
            # That login removed the networks of eleven days ago.
            assert await connection.fetchval("SELECT count(*) FROM bossjy.login_networks") == 1
        finally:
            await connection.close()
