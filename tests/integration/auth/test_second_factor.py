"""One-time codes: on, at a login, once each, off; and their storage in the database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pyotp

from bossjy_server.auth.login import second_factor_store
from bossjy_server.auth.records import to_datetime
from bossjy_server.errors import Reason
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import PASSWORD, Clock, Opened, User, reason_of, register


async def turned_on(owner: User, clock: Clock) -> tuple[pyotp.TOTP, list[str]]:
    """A user whose logins need a code; the code of the previous step is used up."""
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
    begun = await owner.call("BeginSecondFactor", password=PASSWORD, totp_code=old.at(int(clock())))
    clock.ahead_s += 30
    await owner.login(totp_code=old.at(int(clock())))
    new = pyotp.TOTP(begun.secret)
    await owner.call("ConfirmSecondFactor", totp_code=new.at(int(clock())))
    clock.ahead_s += 30
    assert await reason_of(owner.login(totp_code=old.at(int(clock())))) is Reason.LOGIN_REFUSED
    assert await reason_of(owner.login(totp_code=old_codes[0])) is Reason.LOGIN_REFUSED
    await owner.login(totp_code=new.at(int(clock())))


async def test_it_is_turned_off_with_the_password_and_a_code(owner: User, clock: Clock) -> None:
    totp, codes = await turned_on(owner, clock)
    code = totp.at(int(clock()))
    wrong = owner.call("RemoveSecondFactor", password="a wrong password", totp_code=code)
    assert await reason_of(wrong) is Reason.LOGIN_REFUSED
    assert await reason_of(owner.call("RemoveSecondFactor", password=PASSWORD)) is Reason.SECOND_FACTOR_REQUIRED
    false = owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=f"{(int(code) + 1) % 10**6:06}")
    assert await reason_of(false) is Reason.LOGIN_REFUSED
    assert (await owner.call("GetMe")).user.second_factor
    await owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=code)
    await owner.login()
    assert not (await owner.call("GetMe")).user.second_factor
    _, codes = await turned_on(owner, clock)
    await owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=codes[3])
    assert not (await owner.call("GetMe")).user.second_factor


async def test_a_pending_factor_is_removed_without_a_code(owner: User, clock: Clock) -> None:
    begun = await owner.call("BeginSecondFactor", password=PASSWORD)
    await owner.call("RemoveSecondFactor", password=PASSWORD)
    code = pyotp.TOTP(begun.secret).at(int(clock()))
    assert await reason_of(owner.call("ConfirmSecondFactor", totp_code=code)) is Reason.RESOURCE_NOT_FOUND
    events = (await owner.call("ListAuditEvents", filter='action = "auth.remove_second_factor"')).events
    assert not events


async def test_it_is_replaced_only_with_a_code(owner: User, clock: Clock) -> None:
    totp, codes = await turned_on(owner, clock)
    assert await reason_of(owner.call("BeginSecondFactor", password=PASSWORD)) is Reason.SECOND_FACTOR_REQUIRED
    none = owner.call("BeginSecondFactor", password=PASSWORD, totp_code="aaaa-aaaa-aaaa-aaaa")
    assert await reason_of(none) is Reason.LOGIN_REFUSED
    assert await reason_of(owner.call("ConfirmSecondFactor", totp_code="000000")) is Reason.RESOURCE_NOT_FOUND
    for code in (totp.at(int(clock())), codes[0]):
        begun = await owner.call("BeginSecondFactor", password=PASSWORD, totp_code=code)
        assert begun.secret != totp.secret
        # A code works once, here as well.
        again = owner.call("BeginSecondFactor", password=PASSWORD, totp_code=code)
        assert await reason_of(again) is Reason.LOGIN_REFUSED


async def test_a_factor_that_is_confirmed_meanwhile_is_not_replaced(
    owner: User, clock: Clock, database_url: str
) -> None:
    first = pyotp.TOTP((await owner.call("BeginSecondFactor", password=PASSWORD)).secret)
    admin = await asyncpg.connect(database_url)
    try:
        async with admin.transaction():
            # Another call confirms, and has not committed yet.
            await admin.execute("UPDATE bossjy.second_factors SET secret = pending, pending = NULL")
            await admin.execute("UPDATE bossjy.users SET second_factor = true")
            beginning = asyncio.create_task(reason_of(owner.call("BeginSecondFactor", password=PASSWORD)))
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            async with asyncio.timeout(30):
                while not await admin.fetchval(waiting):
                    await asyncio.sleep(0.02)
        assert await beginning is Reason.SECOND_FACTOR_REQUIRED
        assert await admin.fetchval("SELECT pending FROM bossjy.second_factors") is None
    finally:
        await admin.close()
    await owner.login(totp_code=first.at(int(clock())))


async def test_the_database_gives_no_secret_away(owner: User, clock: Clock, database_url: str) -> None:
    totp, codes = await turned_on(owner, clock)
    admin = await asyncpg.connect(database_url)
    try:
        sealed = await admin.fetchval("SELECT secret FROM bossjy.second_factors")
        macs = [row[0] for row in await admin.fetch("SELECT code_mac FROM bossjy.recovery_codes")]
        assert totp.secret.encode() not in sealed
        plain = [code.replace("-", "").encode() for code in codes]
        assert not any(one in mac for one in plain for mac in macs)
        # A secret sealed for another user is not valid; neither is a deleted row.
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
            connection, owner.tenant_id, owner.user_id, read.pending, step=1, macs=[b"mac"], now=to_datetime(clock())
        )
    assert not confirmed
    await owner.login()
