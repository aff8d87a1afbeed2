from __future__ import annotations

import asyncio
from dataclasses import replace

from bossjy_server.auth.credentials import token_format
from bossjy_server.auth.service import Auth
from bossjy_server.errors import BossjyError, Reason
from tests.integration.auth.conftest import Clock, Opened, User, reason_of, register

DAY = 86_400.0


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(owner: User, clock: Clock) -> None:
    second = await owner.refreshed()
    assert second.refresh_token != owner.refresh_token
    assert second.session_id == owner.session_id
    clock.ahead_s += 11
    assert await reason_of(owner.refreshed()) is Reason.REFRESH_TOKEN_REUSED
    # The child, its access token and the first access token have ended with it.
    assert await reason_of(second.refreshed()) is Reason.SESSION_ENDED
    assert await reason_of(second.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(owner.call("GetMe")) is Reason.SESSION_ENDED


async def test_parallel_refreshes_give_the_same_child(owner: User, clock: Clock) -> None:
    users = await asyncio.gather(*(owner.refreshed() for _ in range(20)))
    assert len({user.refresh_token for user in users}) == 1
    clock.ahead_s += 9
    assert (await owner.refreshed()).refresh_token == users[0].refresh_token
    await users[0].refreshed()


async def test_grace_covers_only_the_parent(owner: User) -> None:
    child = await owner.refreshed()
    grandchild = await child.refreshed()
    assert await reason_of(owner.refreshed()) is Reason.REFRESH_TOKEN_REUSED
    assert await reason_of(grandchild.refreshed()) is Reason.SESSION_ENDED


async def test_no_refresh_goes_beyond_the_absolute_end(opened: Opened, clock: Clock) -> None:
    async with opened(session_lifetime_s=20 * 86_400) as auth:
        user = await register(auth)
        for _ in range(3):
            clock.ahead_s += 6 * DAY
            user = await user.refreshed()
        clock.ahead_s = 20 * DAY - 60
        user = await user.refreshed()
        held = await auth.authenticator.authenticate(f"Bearer {user.credential}")
        assert held.expire_time_s - clock() < 61  # the access token ends with the session too
        clock.ahead_s = 20 * DAY + 1
        assert await reason_of(user.refreshed()) is Reason.TOKEN_EXPIRED


async def test_a_refresh_token_that_lies_unused_ends(owner: User, clock: Clock) -> None:
    clock.ahead_s = 7 * DAY + 1
    assert await reason_of(owner.refreshed()) is Reason.TOKEN_EXPIRED


async def test_refresh_tokens_that_were_not_given_out_are_refused(auth: Auth, owner: User) -> None:
    token = token_format.parse_refresh_token(owner.refresh_token)
    assert token
    forged = [
        "",
        "bjr_",
        owner.credential,
        owner.refresh_token + "A",
        owner.refresh_token[:-1] + ("B" if owner.refresh_token[-1] != "B" else "C"),
        owner.refresh_token.replace(".1.", ".2."),
        owner.refresh_token.replace(".1.", ".01."),
        owner.refresh_token.replace(owner.tenant_id, "other-tenant"),
        token_format.refresh_token(auth.keys, owner.tenant_id, owner.session_id, b"\0" * 16, 1),
        token_format.refresh_token(auth.keys, owner.tenant_id, "nosuchsession", b"\0" * 16, 1),
    ]
    for text in forged:
        assert await reason_of(replace(owner, refresh_token=text).refreshed()) is Reason.TOKEN_INVALID
    await owner.refreshed()  # none of them ended the session


async def test_logout_ends_one_session_or_all(owner: User) -> None:
    second, third = await owner.login(), await owner.login()
    assert (await owner.call("Logout")).ended_count == 1
    assert await reason_of(owner.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(owner.refreshed()) is Reason.SESSION_ENDED
    await second.call("GetMe")
    assert (await second.call("Logout", all_sessions=True)).ended_count == 2
    for user in (second, third):
        assert await reason_of(user.call("GetMe")) is Reason.SESSION_ENDED
        assert await reason_of(user.refreshed()) is Reason.SESSION_ENDED


async def test_sessions_are_listed_page_by_page(owner: User, clock: Clock) -> None:
    for number in range(4):
        clock.ahead_s += 1
        await owner.login(device_name=f"device {number}")
    names, token = [], ""
    while True:
        page = await owner.call("ListSessions", page_size=2, page_token=token)
        names += [session.device_name for session in page.sessions]
        assert all(session.address == "10.0.0.1" for session in page.sessions)
        token = page.next_page_token
        if not token:
            break
    assert names == ["device 3", "device 2", "device 1", "device 0", ""]
    assert [session.current for session in page.sessions] == [True]
    assert page.sessions[0].user_agent == "test/1"


async def test_a_page_token_is_for_its_own_listing(owner: User) -> None:
    other = await register(owner.auth, "Other")
    for user in (owner, other):
        await user.login()
    token = (await owner.call("ListSessions", page_size=1)).next_page_token
    await owner.call("ListSessions", page_token=token)
    for wrong in (other.call("ListSessions", page_token=token), owner.call("ListUsers", page_token=token)):
        assert await reason_of(wrong) is Reason.PAGE_TOKEN_INVALID
    for text in ("x", "ä", token[:-2], "A" + token):
        assert await reason_of(owner.call("ListSessions", page_token=text)) is Reason.PAGE_TOKEN_INVALID


async def test_only_its_user_revokes_a_session(owner: User) -> None:
    member = await owner.new_user("bob@example.com", 2)
    second = await owner.login()
    assert await reason_of(member.call("RevokeSession", session_id=second.session_id)) is (Reason.RESOURCE_NOT_FOUND)
    await second.call("GetMe")
    await owner.call("RevokeSession", session_id=second.session_id)
    assert await reason_of(second.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(owner.call("RevokeSession", session_id=second.session_id)) is (Reason.RESOURCE_NOT_FOUND)


async def test_a_password_change_needs_the_current_one_and_can_end_other_sessions(owner: User) -> None:
    second = await owner.login()
    new = "seven quiet boats at noon"
    wrong = owner.call("ChangePassword", current_password="wrong", new_password=new)
    assert await reason_of(wrong) is Reason.LOGIN_REFUSED
    poor = owner.call("ChangePassword", current_password="violet lamp over river", new_password="ann@example.com 1")
    assert await reason_of(poor) is Reason.PASSWORD_REFUSED
    done = await owner.call(
        "ChangePassword",
        current_password="violet lamp over river",
        new_password=new,
        end_other_sessions=True,
    )
    assert done.ended_count == 1
    await owner.call("GetMe")
    assert await reason_of(second.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(owner.login()) is Reason.LOGIN_REFUSED
    await owner.login(password=new)


async def test_guessing_the_current_password_is_slowed_down(opened: Opened) -> None:
    async with opened(account_failures=3) as auth:
        owner = await register(auth)
        reasons = [
            await reason_of(owner.call("ChangePassword", current_password="no", new_password="no")) for _ in range(4)
        ]
    assert reasons == [Reason.LOGIN_REFUSED] * 3 + [Reason.LOGIN_THROTTLED]


async def test_a_user_changes_name_and_language(owner: User) -> None:
    assert (await owner.call("UpdateMe", display_name="Ann")).user.display_name == "Ann"
    user = (await owner.call("UpdateMe", language="zh-Hant")).user
    assert (user.display_name, user.language) == ("Ann", "zh-Hant")
    cleared = await owner.call("UpdateMe", update_mask={"paths": ["display_name"]})
    assert (cleared.user.display_name, cleared.user.language) == ("", "zh-Hant")
    assert await reason_of(owner.call("UpdateMe", language="not a tag")) is Reason.LANGUAGE_UNKNOWN
    other = owner.call("UpdateMe", update_mask={"paths": ["role"]})
    assert await reason_of(other) is Reason.INVALID_FIELD


async def test_a_tenant_is_read_and_changed(owner: User) -> None:
    changed = (await owner.call("UpdateTenant", tenant={"display_name": "New", "default_region": "CN"})).tenant
    assert (changed.display_name, changed.default_region) == ("New", "CN")
    assert (await owner.call("GetTenant")).tenant == changed
    for tenant, paths in (
        ({"default_region": "china"}, []),
        ({"default_region": "QZ"}, []),
        ({}, ["display_name"]),
        ({"display_name": "x" * 201}, []),
    ):
        call = owner.call("UpdateTenant", tenant=tenant, update_mask={"paths": paths})
        assert await reason_of(call) is Reason.INVALID_FIELD


async def test_secrets_are_in_no_repr_and_no_log_field(owner: User, auth: Auth) -> None:
    tokens = await auth.servicer._sessions.refresh(owner.refresh_token)
    text = repr(tokens) + repr(auth.keys) + repr(auth.keys.signing)
    for secret in (tokens[0].access_token, tokens[0].refresh_token, "PRIVATE", "ann@example.com"):
        assert secret not in text
    error = BossjyError(Reason.TOKEN_INVALID, "x")
    assert owner.credential not in repr(error)
