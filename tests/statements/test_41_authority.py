"""Statements 41 to 46: authority is decided when the write commits, not when the token was issued."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.auth.v1 import account_pb2
from bossjy_server.scopes import Role, scopes_of
from tests.statements.authority import ADMIN, MEMBER, OWNER, REFUSED, missing_scope, new_key, until
from tests.statements.conftest import PASSWORD, Person

pytestmark = pytest.mark.timeout(300)


@pytest.mark.statement(41)
async def test_41_a_concurrent_demotion_of_an_owner_wins(owner: Person) -> None:
    for _ in range(6):
        victim = await owner.colleague(OWNER)
        stop = asyncio.Event()
        fields = {"user": {"user_id": victim.user_id, "role": OWNER}}
        running = [asyncio.create_task(until(stop, victim, "UpdateUser", **fields)) for _ in range(4)]
        await asyncio.sleep(0.1)
        await owner.call("UpdateUser", user={"user_id": victim.user_id, "role": ADMIN})
        stop.set()
        await asyncio.gather(*running)
        assert (await owner.call("GetUser", user_id=victim.user_id)).user.role == ADMIN


@pytest.mark.statement(42)
async def test_42_no_refresh_or_login_beside_a_demotion_gives_the_old_role(owner: Person) -> None:
    for _ in range(8):
        victim = await owner.colleague(OWNER)
        sessions = [victim, *(await asyncio.gather(*(victim.login() for _ in range(3))))]
        got: list[Person] = []
        stop = asyncio.Event()
        running = [asyncio.create_task(refreshing(one, got, stop)) for one in sessions]
        running += [asyncio.create_task(logging_in(victim, got, stop)) for _ in range(2)]
        await asyncio.sleep(0.2)
        await owner.call("UpdateUser", user={"user_id": victim.user_id, "role": MEMBER})
        stop.set()
        await asyncio.gather(*running)
        assert len(got) > len(sessions)
        ended = await asyncio.gather(*(one.outcome("ListUsers") for one in got[-40:]))
        assert {one.code for one in ended} <= REFUSED


@pytest.mark.statement(42)
async def test_42_no_refresh_or_login_beside_a_disabling_gives_a_token(owner: Person) -> None:
    for _ in range(6):
        victim = await owner.colleague()
        sessions = [victim, *(await asyncio.gather(*(victim.login() for _ in range(2))))]
        got: list[Person] = []
        stop = asyncio.Event()
        running = [asyncio.create_task(refreshing(one, got, stop)) for one in sessions]
        running += [asyncio.create_task(logging_in(victim, got, stop)) for _ in range(2)]
        await asyncio.sleep(0.2)
        await owner.call("DisableUser", user_id=victim.user_id)
        stop.set()
        await asyncio.gather(*running)
        for one in got[-40:]:
            assert (await one.outcome("GetMe")).reason == "SESSION_ENDED"
            refreshed = await replace(one, access="").outcome("RefreshToken", refresh_token=one.refresh)
            assert refreshed.code == "UNAUTHENTICATED"


@pytest.mark.statement(43)
async def test_43_a_key_gives_and_touches_no_role_beyond_its_scopes(owner: Person) -> None:
    other = await owner.colleague(OWNER)
    key = (await new_key(owner, ["users.write", "keys.write"])).person
    large = await new_key(owner, ["users.write", "keys.write", "contacts.erase"])
    email = f"{secrets.token_hex(6)}@example.com"
    for role in (account_pb2.ROLE_SERVICE, MEMBER, ADMIN, OWNER):
        assert await missing_scope(key.call("CreateUser", email=email, role=role)) in scopes_of(Role.OWNER)
    touched = {"user_id": other.user_id}
    for method, fields in (
        ("UpdateUser", {"user": touched | {"role": MEMBER}}),
        ("UpdateUser", {"user": touched | {"display_name": "x"}}),
        ("ResetPassword", touched),
        ("DisableUser", touched),
        ("EnableUser", touched),
        ("RemoveUserSecondFactor", touched),
    ):
        assert await missing_scope(key.call(method, **fields)) not in ("", "users.write", "keys.write"), method
    revoked = key.call("RevokeApiKey", api_key_id=large.api_key_id)
    assert await missing_scope(revoked) == "contacts.erase"
    made = key.call("CreateApiKey", display_name="more", scopes=["contacts.erase"])
    assert await missing_scope(made) == "contacts.erase"
    assert (await other.outcome("GetMe")).code == "OK"


@pytest.mark.statement(43)
async def test_43_a_key_with_the_scopes_of_a_role_gives_that_role(owner: Person) -> None:
    work = sorted(scopes_of(Role.MEMBER))
    key = (await new_key(owner, [*work, "users.write"])).person
    member = await owner.colleague()
    email = f"{secrets.token_hex(6)}@example.com"
    assert (await key.call("CreateUser", email=email, role=MEMBER)).user.role == MEMBER
    await key.call("DisableUser", user_id=member.user_id)
    await key.call("EnableUser", user_id=member.user_id)
    assert await missing_scope(key.call("UpdateUser", user={"user_id": member.user_id, "role": ADMIN}))


@pytest.mark.statement(44)
async def test_44_a_key_that_a_key_made_ends_with_it(owner: Person) -> None:
    soon = int(time.time()) + 600
    parent = await new_key(owner, ["keys.write", "phone.read"], soon)
    child = await new_key(parent.person, ["keys.write", "phone.read"])
    grandchild = await new_key(child.person, ["phone.read"], soon - 60)
    assert (child.ends, grandchild.ends) == (soon, soon - 60)
    later = await child.person.outcome(
        "CreateApiKey", display_name="later", scopes=["phone.read"], expire_time=Timestamp(seconds=soon + 1)
    )
    assert (later.code, later.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    stranger = await new_key(owner, ["phone.read"])
    await owner.call("RevokeApiKey", api_key_id=parent.api_key_id)
    for key in (parent, child, grandchild):
        assert (await key.person.outcome("GetMe")).reason == "TOKEN_INVALID"
    assert (await stranger.person.outcome("GetMe")).code == "OK"


@pytest.mark.statement(44)
async def test_44_no_key_outlives_a_parent_that_ends_meanwhile(owner: Person) -> None:
    for _ in range(6):
        parent = await new_key(owner, ["keys.write", "phone.read"])
        stop = asyncio.Event()
        fields = {"display_name": "child", "scopes": ["phone.read"]}
        running = [asyncio.create_task(until(stop, parent.person, "CreateApiKey", **fields)) for _ in range(4)]
        await asyncio.sleep(0.1)
        await owner.call("RevokeApiKey", api_key_id=parent.api_key_id)
        stop.set()
        answers = [answer for answers in await asyncio.gather(*running) for answer in answers]
        assert answers
        listed = (await owner.call("ListApiKeys", page_size=500)).api_keys
        assert not [one for one in listed if one.parent_api_key_id == parent.api_key_id]
        children = (Person(owner.channel, access=answer.secret) for answer in answers[-20:])
        ended = await asyncio.gather(*(child.outcome("GetMe") for child in children))
        assert {one.reason for one in ended} == {"TOKEN_INVALID"}


@pytest.mark.statement(44)
async def test_44_the_life_of_a_key_has_a_limit(owner: Person) -> None:
    far = Timestamp(seconds=int(time.time()) + 20 * 365 * 86_400)
    refused = await owner.outcome("CreateApiKey", display_name="long", scopes=["phone.read"], expire_time=far)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert "days ahead" in refused.message


@pytest.mark.statement(45)
async def test_45_a_reset_wins_over_password_changes_in_flight(owner: Person) -> None:
    for turn in range(6):
        victim = await owner.colleague()
        stop = asyncio.Event()
        thief = asyncio.create_task(changing(victim, turn, stop))
        await asyncio.sleep(0.3)
        await owner.call("ResetPassword", user_id=victim.user_id)
        stop.set()
        changes, last, tried = await thief
        assert changes or tried
        for password in (last, tried):
            refused = await victim.outcome("Login", **login_fields(victim, password))
            assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "LOGIN_REFUSED")


@pytest.mark.statement(45)
async def test_45_of_eight_changes_with_one_old_password_one_succeeds(owner: Person) -> None:
    for turn in range(3):
        user = await owner.colleague()
        news = [f"eight grey geese, turn {turn}, number {number}" for number in range(8)]
        ended = await asyncio.gather(
            *(user.outcome("ChangePassword", current_password=PASSWORD, new_password=new) for new in news)
        )
        assert [one.code for one in ended].count("OK") == 1, ended
        assert {one.reason for one in ended if one.code != "OK"} <= {"LOGIN_REFUSED", "LOGIN_THROTTLED"}
        taken = next(new for new, one in zip(news, ended, strict=True) if one.code == "OK")
        await user.login(taken)


@pytest.mark.statement(45)
async def test_45_a_reset_rechecks_the_rank_when_it_commits(owner: Person) -> None:
    admin = await owner.colleague(ADMIN)
    for wait_s in (0.0, 0.005, 0.01, 0.02, 0.04, 0.08):
        user = await owner.colleague()
        reset = asyncio.create_task(admin.outcome("ResetPassword", user_id=user.user_id))
        await asyncio.sleep(wait_s)
        await owner.call("UpdateUser", user={"user_id": user.user_id, "role": OWNER})
        if (await reset).code != "OK":
            assert (await reset).code == "PERMISSION_DENIED"
            continue
        # Both took effect. Each records its event while it locks the tenant, so events are in the order of commits.
        listed = (await owner.call("ListAuditEvents", page_size=50)).events
        actions = [one.action for one in reversed(listed) if one.resource == user.user_id]
        assert actions.index("auth.reset_password") < actions.index("auth.change_role")


@pytest.mark.statement(46)
async def test_46_a_reset_ends_sessions_and_keys_unless_keys_are_kept(owner: Person) -> None:
    for keep in (False, True):
        admin = await owner.colleague(ADMIN)
        second, key = await admin.login(), await new_key(admin, ["phone.read", "keys.write"])
        child = await new_key(key.person, ["phone.read"])
        await owner.call("ResetPassword", user_id=admin.user_id, keep_api_keys=keep)
        for session in (admin, second):
            assert (await session.outcome("GetMe")).reason == "SESSION_ENDED"
        for one in (key, child):
            ended = await one.person.outcome("GetMe")
            assert (ended.code, ended.reason) == (("OK", "") if keep else ("UNAUTHENTICATED", "TOKEN_INVALID"))


@pytest.mark.statement(43)
async def test_43_a_key_learns_nothing_of_its_maker(owner: Person) -> None:
    key = await new_key(owner, ["phone.read"])
    me = await key.person.call("GetMe")
    assert not me.HasField("user")
    assert (me.api_key.api_key_id, me.api_key.created_by) == (key.api_key_id, owner.user_id)
    assert owner.email not in str(me)
    assert (await owner.call("GetMe")).user.email == owner.email


async def collecting(got: list[Person], stop: asyncio.Event, next_one: Callable[[], Awaitable[Person]]) -> None:
    while not stop.is_set():
        try:
            got.append(await next_one())
        except grpc.aio.AioRpcError:
            return


async def refreshing(person: Person, got: list[Person], stop: asyncio.Event) -> None:
    """Refresh a session repeatedly."""
    held = person

    async def refresh() -> Person:
        nonlocal held
        held = await held.refreshed()
        return held

    await collecting(got, stop, refresh)


async def logging_in(person: Person, got: list[Person], stop: asyncio.Event) -> None:
    """Log in repeatedly."""
    await collecting(got, stop, person.login)


async def changing(victim: Person, turn: int, stop: asyncio.Event) -> tuple[int, str, str]:
    """Change the password repeatedly. Returns the number of changes, the last accepted password, the refused one."""
    last, number = PASSWORD, 0
    while True:
        new = f"a borrowed bicycle, round {turn}, change {number}"
        changed = await victim.outcome("ChangePassword", current_password=last, new_password=new)
        if changed.code != "OK" or stop.is_set():
            return number, last, new
        last, number = new, number + 1


def login_fields(person: Person, password: str) -> dict[str, Any]:
    return {"tenant_id": person.tenant_id, "email": person.email, "password": password}
