"""Statements 16 to 24: sessions and their refresh tokens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import asyncpg
import pytest

from bossjy_server.auth.options import AuthOptions
from tests.statements.conftest import PASSWORD, Person, Refused, Served

ENDS_WITHIN_S = 5.0
ENDS_S = 8.0
NEW_PASSWORD = "a lantern beneath the old bridge 4"


async def refresh_outcome(person: Person) -> Refused:
    return await replace(person, access="").outcome("RefreshToken", refresh_token=person.refresh)


async def ends(person: Person) -> None:
    """Check that the access token ends within the stated time."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while True:
        ended = await person.outcome("GetMe")
        if ended.code != "OK":
            assert (ended.code, ended.reason) == ("UNAUTHENTICATED", "SESSION_ENDED")
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


@pytest.mark.statement(16)
@pytest.mark.statement(17)
async def test_16_17_a_refresh_token_works_once_and_reuse_ends_its_family(owner: Person) -> None:
    second = await owner.refreshed()
    third = await second.refreshed()
    reused = await refresh_outcome(owner)
    assert (reused.code, reused.reason) == ("UNAUTHENTICATED", "REFRESH_TOKEN_REUSED")
    ended = await refresh_outcome(third)
    assert (ended.code, ended.reason) == ("UNAUTHENTICATED", "SESSION_ENDED")
    for one in (owner, second, third):
        await ends(one)


@pytest.mark.statement(18)
async def test_18_twenty_parallel_refreshes_get_one_child(owner: Person) -> None:
    children = await asyncio.gather(*(owner.refreshed() for _ in range(20)))
    assert len({child.refresh for child in children}) == 1
    assert (await children[0].outcome("GetMe")).code == "OK"
    await children[0].refreshed()


@pytest.mark.statement(19)
async def test_19_the_grace_is_of_the_immediate_parent_and_ends(owner: Person) -> None:
    late = await owner.login()
    child = await late.refreshed()
    second = await owner.refreshed()
    await second.refreshed()
    # The grandparent, immediately.
    assert (await refresh_outcome(owner)).reason == "REFRESH_TOKEN_REUSED"
    # The parent, after the grace period.
    await asyncio.sleep(AuthOptions().refresh_grace_s + 0.5)
    assert (await refresh_outcome(late)).reason == "REFRESH_TOKEN_REUSED"
    assert (await refresh_outcome(child)).reason == "SESSION_ENDED"


@pytest.mark.statement(20)
async def test_20_a_session_ends_for_good_however_often_it_is_refreshed(served: Served, owner: Person) -> None:
    answer = await replace(owner, access="").call("RefreshToken", refresh_token=owner.refresh)
    owner = owner.holding(answer.tokens, owner.user_id)
    (session,) = (await owner.call("ListSessions")).sessions
    bounds = AuthOptions()
    life = session.expire_time.ToSeconds() - session.create_time.ToSeconds()
    assert life == pytest.approx(bounds.session_lifetime_s, abs=2)
    # A session of almost that age: its clock is set back, because nobody waits for thirty days.
    await ends_in(served, owner, ENDS_S)
    answer = await replace(owner, access="").call("RefreshToken", refresh_token=owner.refresh)
    assert answer.tokens.refresh_expire_time.ToSeconds() <= time.time() + ENDS_S
    assert answer.tokens.access_expire_time.ToSeconds() <= time.time() + ENDS_S
    child = owner.holding(answer.tokens, owner.user_id)
    await asyncio.sleep(ENDS_S + 0.5)
    assert (await refresh_outcome(child)).reason == "TOKEN_EXPIRED"


async def ends_in(served: Served, person: Person, seconds: float) -> None:
    """Let the person's session end in `seconds`."""
    admin = await asyncpg.connect(served.database_url)
    try:
        await admin.execute(
            "UPDATE bossjy.sessions SET expire_time = now() + $2 * interval '1 s' WHERE session_id = $1",
            person.session_id,
            seconds,
        )
    finally:
        await admin.close()


@pytest.mark.statement(21)
@pytest.mark.statement(22)
async def test_21_22_a_logout_ends_one_session_and_no_other(owner: Person) -> None:
    other = await owner.login()
    assert (await owner.call("Logout")).ended_count == 1
    await ends(owner)
    assert (await refresh_outcome(owner)).reason == "SESSION_ENDED"
    assert (await other.outcome("GetMe")).code == "OK"
    await other.refreshed()


@pytest.mark.statement(23)
async def test_23_logout_all_and_disabling_end_all(owner: Person) -> None:
    member = await owner.colleague()
    sessions = [member, await member.login(), await member.login()]
    await sessions[0].call("Logout", all_sessions=True)
    for one in sessions:
        await ends(one)
        assert (await refresh_outcome(one)).reason == "SESSION_ENDED"
    again = [await member.login(), await member.login()]
    await owner.call("DisableUser", user_id=member.user_id)
    for one in again:
        await ends(one)
        assert (await refresh_outcome(one)).code == "UNAUTHENTICATED"
    refused = await replace(member, access="").outcome(
        "Login", tenant_id=member.tenant_id, email=member.email, password=PASSWORD
    )
    assert refused.reason == "LOGIN_REFUSED"


@pytest.mark.statement(24)
async def test_24_a_new_password_needs_the_current_one_and_can_end_other_sessions(owner: Person) -> None:
    member = await owner.colleague()
    other, third = await member.login(), await member.login()
    wrong = await member.outcome("ChangePassword", current_password="not this one", new_password=NEW_PASSWORD)
    assert (wrong.code, wrong.reason) == ("UNAUTHENTICATED", "LOGIN_REFUSED")
    assert (await member.outcome("ChangePassword", new_password=NEW_PASSWORD)).code == "INVALID_ARGUMENT"
    await third.call("ChangePassword", current_password=PASSWORD, new_password=NEW_PASSWORD)
    assert (await other.outcome("GetMe")).code == "OK"  # not requested to end
    answer = await member.call(
        "ChangePassword", current_password=NEW_PASSWORD, new_password=PASSWORD, end_other_sessions=True
    )
    assert answer.ended_count == 2
    await ends(other)
    await ends(third)
    assert (await member.outcome("GetMe")).code == "OK"
