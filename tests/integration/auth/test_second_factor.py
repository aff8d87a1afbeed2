"""One-time codes: on, at a login, once each, off; and what the database holds of them."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pyotp

from bossjy_server.auth import second_factor_store
from bossjy_server.auth.records import moment
from bossjy_server.errors import Reason
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import PASSWORD, Clock, Opened, User, reason_of, register


async def turned_on(owner: User, clock: Clock) -> tuple[pyotp.TOTP, list[str]]:
    """A user whose logins need a code; the code of the step before is used up."""
    begun = await owner.call("BeginSecondFactor", password=PASSWORD)
    totp = pyotp.TOTP(begun.secret)
    confirmed = await owner.call("ConfirmSecondFactor", totp_code=totp.at(int(clock())))
    clock.ahead_s += 30
    return totp, list(confirmed.recovery_codes)


async def test_a_login_needs_a_code_and_each_code_works_once(owner: User, clock: Clock) -> None:
    assert not (await owner.call("GetMe")).user.second_factor
    totp, _ = await turned_on(owner, clock)
    assert (await owner.call("GetMe")).user.second_factor
    assert await reason_of(owner.login()) is Reason.SECOND_FACTOR_REQUIRED
    code = totp.at(int(clock()))
    assert await reason_of(owner.login(password="a wrong password", totp_code=code)) is Reason.LOGIN_REFUSED
    await owner.login(totp_code=f"{code[:3]} {code[3:]}")
    assert await reason_of(owner.login(totp_code=code)) is Reason.LOGIN_REFUSED
    clock.ahead_s += 30
    await owner.login(totp_code=totp.at(int(clock())))


async def test_a_clock_may_be_one_step_off_and_no_more(owner: User, clock: Clock) -> None:
    totp, _ = await turned_on(owner, clock)
    clock.ahead_s += 300
    for off_s in (-60, 60):
        assert await reason_of(owner.login(totp_code=totp.at(int(clock()) + off_s))) is Reason.LOGIN_REFUSED
    for off_s in (-30, 0, 30):
        await owner.login(totp_code=totp.at(int(clock()) + off_s))


async def test_recovery_codes_work_once_each(owner: User, clock: Clock) -> None:
    _, codes = await turned_on(owner, clock)
    assert len(set(codes)) == 10
    await owner.login(totp_code=codes[0])
    assert await reason_of(owner.login(totp_code=codes[0])) is Reason.LOGIN_REFUSED
    await owner.login(totp_code=codes[1].replace("-", " ").upper())
    assert await reason_of(owner.login(totp_code="aaaa-aaaa-aaaa-aaaa")) is Reason.LOGIN_REFUSED


async def test_wrong_codes_are_slowed_down(opened: Opened, clock: Clock) -> None:
    async with opened(account_failures=3) as auth:
        owner = await register(auth)
        await turned_on(owner, clock)
        for _ in range(3):
            assert await reason_of(owner.login(totp_code="000000")) is Reason.LOGIN_REFUSED
        assert await reason_of(owner.login(totp_code="000000")) is Reason.LOGIN_THROTTLED


async def test_nothing_is_on_before_it_is_confirmed(owner: User, clock: Clock) -> None:
    assert await reason_of(owner.call("ConfirmSecondFactor", totp_code="000000")) is Reason.RESOURCE_NOT_FOUND
    assert await reason_of(owner.call("BeginSecondFactor", password="a wrong password")) is Reason.LOGIN_REFUSED
    begun = await owner.call("BeginSecondFactor", password=PASSWORD)
    assert begun.otpauth_uri.startswith("otpauth://totp/BossJy")
    await owner.login()
    right = pyotp.TOTP(begun.secret).at(int(clock()))
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert await reason_of(owner.call("ConfirmSecondFactor", totp_code=wrong)) is Reason.LOGIN_REFUSED
    await owner.login()


async def test_a_new_secret_leaves_the_old_one_until_it_is_confirmed(owner: User, clock: Clock) -> None:
    old, old_codes = await turned_on(owner, clock)
    begun = await owner.call("BeginSecondFactor", password=PASSWORD)
    await owner.login(totp_code=old.at(int(clock())))
    new = pyotp.TOTP(begun.secret)
    await owner.call("ConfirmSecondFactor", totp_code=new.at(int(clock())))
    clock.ahead_s += 30
    assert await reason_of(owner.login(totp_code=old.at(int(clock())))) is Reason.LOGIN_REFUSED
    assert await reason_of(owner.login(totp_code=old_codes[0])) is Reason.LOGIN_REFUSED
    await owner.login(totp_code=new.at(int(clock())))


async def test_it_is_turned_off_with_the_password(owner: User, clock: Clock) -> None:
    await turned_on(owner, clock)
    assert await reason_of(owner.call("RemoveSecondFactor", password="a wrong password")) is Reason.LOGIN_REFUSED
    await owner.call("RemoveSecondFactor", password=PASSWORD)
    await owner.login()
    assert not (await owner.call("GetMe")).user.second_factor


async def test_the_database_gives_no_secret_away(owner: User, clock: Clock, database_url: str) -> None:
    totp, codes = await turned_on(owner, clock)
    admin = await asyncpg.connect(database_url)
    try:
        sealed = await admin.fetchval("SELECT secret FROM bossjy.second_factors")
        macs = [row[0] for row in await admin.fetch("SELECT code_mac FROM bossjy.recovery_codes")]
        assert totp.secret.encode() not in sealed
        plain = [code.replace("-", "").encode() for code in codes]
        assert not any(one in mac for one in plain for mac in macs)
        # Sealed for another user, it opens nothing; and neither does a row that is gone.
        await admin.execute("UPDATE bossjy.second_factors SET secret = set_byte(secret, 20, 0), pending = NULL")
        assert await reason_of(owner.login(totp_code=totp.at(int(clock())))) is Reason.LOGIN_REFUSED
        await admin.execute("DELETE FROM bossjy.second_factors")
        assert await reason_of(owner.login(totp_code=totp.at(int(clock())))) is Reason.LOGIN_REFUSED
    finally:
        await admin.close()


async def test_an_api_key_has_no_second_factor(owner: User) -> None:
    made = await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])
    key = replace(owner, credential=made.secret)
    assert await reason_of(key.call("BeginSecondFactor", password=PASSWORD)) is Reason.SCOPE_MISSING


async def test_a_secret_that_another_call_replaced_is_not_confirmed(
    owner: User, clock: Clock, database: Database
) -> None:
    await owner.call("BeginSecondFactor", password=PASSWORD)
    async with database.tenant(owner.tenant_id) as connection:
        read = await second_factor_store.find(connection, owner.tenant_id, owner.user_id)
        assert read
        assert read.pending
    await owner.call("BeginSecondFactor", password=PASSWORD)
    async with database.tenant(owner.tenant_id) as connection:
        confirmed = await second_factor_store.confirm(
            connection, owner.tenant_id, owner.user_id, read.pending, step=1, macs=[b"mac"], now=moment(clock())
        )
    assert not confirmed
    await owner.login()
