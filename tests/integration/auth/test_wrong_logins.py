"""Wrong logins in the audit log: the first of a minute one by one, the others as one event with their number."""

from __future__ import annotations

import asyncio

import pytest

from bossjy_server.auth.login import wrong_logins
from bossjy_server.auth.login.wrong_logins import WrongLogins
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import Reason
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import Clock, Opened, User, reason_of, register

FEW = AuthOptions(audit_wrong_logins=2, audit_wrong_logins_of_tenant=5, audit_minutes_max=6)


async def events(owner: User) -> list[tuple[str, int]]:
    """Network and number of the events of wrong logins, oldest first."""
    found = (await owner.call("ListAuditEvents", filter='outcome = "UNAUTHENTICATED"')).events
    assert {one.action for one in found} <= {"auth.login"}
    return [(one.address, one.times) for one in reversed(found)]


@pytest.fixture
async def few(database: Database, clock: Clock) -> WrongLogins:
    return WrongLogins(database, FEW, clock)


async def test_the_first_are_singly_there_and_the_others_as_their_number(owner: User, few: WrongLogins) -> None:
    for _ in range(10):
        await few.add(owner.tenant_id, "203.0.113.7")
    for number in range(2):
        await few.add(owner.tenant_id, f"2001:db8:1:1::{number}")
    # The first ones have the address of the running call: here that of the owner's registration.
    assert await events(owner) == [("10.0.0.0/24", 1)] * 4
    await few.flush()
    assert (await events(owner))[4:] == [("203.0.113.0/24", 8)]
    await few.flush()
    assert len(await events(owner)) == 5


async def test_many_networks_together_are_bounded(owner: User, few: WrongLogins) -> None:
    for number in range(30):
        await few.add(owner.tenant_id, f"203.0.{number}.7")
    await few.flush()
    found = await events(owner)
    assert sum(times for _, times in found) == 30
    assert found[5:] == [("", 25)]


async def test_the_minute_ends_by_itself(
    owner: User, few: WrongLogins, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_logins, "_LOOK_S", 0.05)
    running = asyncio.create_task(few.run())
    for _ in range(6):
        await few.add(owner.tenant_id, "203.0.113.7")
    await asyncio.sleep(0.3)
    assert len(await events(owner)) == 2
    clock.ahead_s += 61
    async with asyncio.timeout(20):
        while len(await events(owner)) < 3:
            await asyncio.sleep(0.05)
    running.cancel()
    assert (await events(owner))[2] == ("203.0.113.0/24", 4)


async def test_there_is_an_end_to_the_minutes_that_are_counted(owner: User, few: WrongLogins) -> None:
    for _ in range(4):
        await few.add(owner.tenant_id, "203.0.113.7")
    for number in range(20):
        await few.add(f"nobody-{number}", "203.0.113.7")  # tenants that do not exist have no events
    assert len(few._windows) == 6
    assert sum(times for _, times in await events(owner)) == 4


async def test_a_number_that_cannot_be_written_is_logged(
    owner: User, few: WrongLogins, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        await few.add(owner.tenant_id, "203.0.113.7")
    database.breaker.trip()
    await few.flush()
    assert "lacks 4 wrong logins" in caplog.text
    assert owner.tenant_id not in caplog.text


async def test_the_service_writes_them(opened: Opened) -> None:
    async with opened(account_failures=100) as auth:
        owner = await register(auth)
        for _ in range(9):
            assert await reason_of(owner.login(password="wrong")) is Reason.LOGIN_REFUSED
        assert await events(owner) == [("10.0.0.0/24", 1)] * 5
    async with opened() as auth:  # the end of the first one has written the number
        asked = User(auth, credential=owner.credential)
        assert await events(asked) == [("10.0.0.0/24", 1)] * 5 + [("10.0.0.0/24", 4)]
