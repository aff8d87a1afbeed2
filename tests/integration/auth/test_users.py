from __future__ import annotations

import asyncio

import pytest

from bossjy_server.errors import BossjyError, PermissionDenied, Reason
from tests.integration.auth.conftest import PASSWORD, Clock, Opened, User, reason_of, register

SERVICE, MEMBER, ADMIN, OWNER = 1, 2, 3, 4


async def test_a_new_user_must_change_the_password_that_the_server_made(owner: User) -> None:
    made = await owner.call("CreateUser", email="bob@example.com", display_name="Bob", role=MEMBER)
    assert len(made.password) >= 15
    response = await User(owner.auth).call(
        "Login", tenant_id=owner.tenant_id, email="bob@example.com", password=made.password
    )
    assert response.password_change_required
    bob = await owner.login("bob@example.com", made.password)
    assert list((await bob.call("GetMe")).scopes) == []
    await bob.call("ChangePassword", current_password=made.password, new_password=PASSWORD)
    bob = await bob.refreshed()
    assert "contacts.read" in (await bob.call("GetMe")).scopes


async def test_a_service_need_not_and_cannot_change_its_password(owner: User) -> None:
    made = await owner.call("CreateUser", email="bot@example.com", role=SERVICE)
    bot = await owner.login("bot@example.com", made.password)
    assert "phone.read" in (await bot.call("GetMe")).scopes
    change = bot.call("ChangePassword", current_password=made.password, new_password=PASSWORD)
    assert await reason_of(change) is Reason.SCOPE_MISSING


async def test_a_mail_address_is_unique_in_a_tenant(owner: User) -> None:
    taken = owner.call("CreateUser", email="ANN@example.com", role=MEMBER)
    assert await reason_of(taken) is Reason.USER_EXISTS
    poor = owner.call("CreateUser", email="bob@example.com", role=MEMBER, password="bob@example.com.")
    assert await reason_of(poor) is Reason.PASSWORD_REFUSED


async def test_making_a_user_can_be_repeated(owner: User) -> None:
    fields = {"email": "bob@example.com", "role": MEMBER, "request_id": "one"}
    results = await asyncio.gather(*(owner.call("CreateUser", **fields) for _ in range(4)))
    assert len({result.user.user_id for result in results}) == 1
    assert sum(bool(result.password) for result in results) == 1
    other = owner.call("CreateUser", **(fields | {"role": ADMIN}))
    assert await reason_of(other) is Reason.REQUEST_ID_REUSED


async def test_a_tenant_has_so_many_users_and_no_more(opened: Opened) -> None:
    async with opened(users_per_tenant_max=2) as auth:
        owner = await register(auth)
        await owner.call("CreateUser", email="b@example.com", role=MEMBER)
        over = owner.call("CreateUser", email="c@example.com", role=MEMBER)
        assert await reason_of(over) is Reason.QUOTA_EXCEEDED


async def test_nobody_changes_a_user_with_a_higher_role(owner: User) -> None:
    admin = await owner.new_user("bob@example.com", ADMIN)
    calls = [
        admin.call("CreateUser", email="c@example.com", role=OWNER),
        admin.call("UpdateUser", user={"user_id": owner.user_id, "display_name": "x"}),
        admin.call("UpdateUser", user={"user_id": admin.user_id, "role": OWNER}),
        admin.call("DisableUser", user_id=owner.user_id),
        admin.call("EnableUser", user_id=owner.user_id),
        admin.call("ResetPassword", user_id=owner.user_id),
        # The caller's own password: only with the current one.
        admin.call("ResetPassword", user_id=admin.user_id),
    ]
    for call in calls:
        assert await reason_of(call) is Reason.SCOPE_MISSING


async def test_a_tenant_always_has_an_owner(owner: User) -> None:
    for call in (
        owner.call("UpdateUser", user={"user_id": owner.user_id, "role": MEMBER}),
        owner.call("DisableUser", user_id=owner.user_id),
    ):
        assert await reason_of(call) is Reason.LAST_OWNER
    second = await owner.new_user("bob@example.com", OWNER)
    # Each demotes the other at the same moment: one of them keeps the role, and the other has lost the right.
    results = await asyncio.gather(
        owner.call("UpdateUser", user={"user_id": second.user_id, "role": MEMBER}),
        second.call("UpdateUser", user={"user_id": owner.user_id, "role": MEMBER}),
        return_exceptions=True,
    )
    failed = [result for result in results if isinstance(result, BaseException)]
    assert len(failed) == 1
    assert isinstance(failed[0], PermissionDenied)


async def test_a_disabled_owner_does_not_count(owner: User) -> None:
    second = await owner.new_user("bob@example.com", OWNER)
    await owner.call("DisableUser", user_id=second.user_id)
    alone = owner.call("UpdateUser", user={"user_id": owner.user_id, "role": MEMBER})
    assert await reason_of(alone) is Reason.LAST_OWNER


async def test_disabling_ends_sessions_and_keys_until_enabled(owner: User) -> None:
    admin = await owner.new_user("bob@example.com", ADMIN)
    key = await admin.call("CreateApiKey", display_name="k", scopes=["phone.read"])
    service = User(owner.auth, key.secret)
    await service.call("GetMe")
    disabled = await owner.call("DisableUser", user_id=admin.user_id)
    assert (disabled.user.state, disabled.ended_count) == (2, 1)
    assert await reason_of(admin.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(admin.refreshed()) is Reason.SESSION_ENDED
    assert await reason_of(service.call("GetMe")) is Reason.TOKEN_INVALID
    assert await reason_of(admin.login("bob@example.com")) is Reason.LOGIN_REFUSED
    assert (await owner.call("DisableUser", user_id=admin.user_id)).ended_count == 0
    assert (await owner.call("EnableUser", user_id=admin.user_id)).user.state == 1
    await owner.call("EnableUser", user_id=admin.user_id)
    await admin.login("bob@example.com")
    assert await reason_of(service.call("GetMe")) is Reason.TOKEN_INVALID


async def test_a_reset_password_ends_sessions_and_must_be_changed(owner: User) -> None:
    member = await owner.new_user("bob@example.com", MEMBER)
    password = (await owner.call("ResetPassword", user_id=member.user_id)).password
    assert await reason_of(member.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(member.login("bob@example.com")) is Reason.LOGIN_REFUSED
    member = await member.login("bob@example.com", password)
    assert list((await member.call("GetMe")).scopes) == []


async def test_an_etag_guards_an_update(owner: User) -> None:
    member = await owner.new_user("bob@example.com", MEMBER)
    etag = (await owner.call("GetUser", user_id=member.user_id)).user.etag
    user = {"user_id": member.user_id, "display_name": "Bob", "etag": etag}
    changed = (await owner.call("UpdateUser", user=user)).user
    assert changed.display_name == "Bob"
    assert changed.etag != etag
    assert await reason_of(owner.call("UpdateUser", user=user)) is Reason.ETAG_MISMATCH
    await member.login("bob@example.com")  # a login is not a change
    assert (await owner.call("GetUser", user_id=member.user_id)).user.etag == changed.etag


@pytest.mark.parametrize(
    ("user", "paths"),
    [
        ({"role": 9}, []),
        ({}, ["role"]),
        ({"display_name": "x" * 201}, []),
        ({"email": "x@y.z"}, ["email"]),
    ],
)
async def test_a_change_that_means_nothing_is_refused(owner: User, user: dict[str, object], paths: list[str]) -> None:
    call = owner.call("UpdateUser", user={"user_id": owner.user_id, **user}, update_mask={"paths": paths})
    assert await reason_of(call) is Reason.INVALID_FIELD


async def test_users_are_listed_by_address_filtered_and_in_pages(owner: User, clock: Clock) -> None:
    for name, role in (("dora", ADMIN), ("bob", MEMBER), ("cleo", MEMBER)):
        clock.ahead_s += 10
        await owner.call("CreateUser", email=f"{name}@example.com", role=role)

    async def names(**fields: object) -> list[str]:
        found: list[str] = []
        while True:
            page = await owner.call("ListUsers", **fields)
            found += [user.email.split("@")[0] for user in page.users]
            if not page.next_page_token:
                return found
            fields["page_token"] = page.next_page_token

    assert await names() == ["ann", "bob", "cleo", "dora"]
    assert await names(page_size=1) == ["ann", "bob", "cleo", "dora"]
    assert await names(page_size=1, filter='role = "member"') == ["bob", "cleo"]
    assert await names(filter='role != member AND state="active"') == ["ann", "dora"]
    assert await names(filter='email = "BOB@example.com"') == ["bob"]
    cleo = (await owner.call("ListUsers", filter="email = cleo@example.com")).users[0]
    time = cleo.create_time.ToJsonString()
    assert await names(filter=f'create_time >= "{time}"') == ["cleo"]
    first = await owner.call("ListUsers", page_size=1)
    other = owner.call("ListUsers", page_token=first.next_page_token, filter="role = member")
    assert await reason_of(other) is Reason.PAGE_TOKEN_INVALID
    assert await reason_of(owner.call("ListUsers", filter="role")) is Reason.FILTER_INVALID


async def test_resources_of_another_tenant_are_not_found(owner: User) -> None:
    other = await register(owner.auth, "Other")
    theirs = await other.new_user("bob@example.com", MEMBER)
    key = (await other.call("CreateApiKey", display_name="k", scopes=["phone.read"])).api_key
    calls = [
        owner.call("GetUser", user_id=theirs.user_id),
        owner.call("UpdateUser", user={"user_id": theirs.user_id, "display_name": "x"}),
        owner.call("DisableUser", user_id=theirs.user_id),
        owner.call("EnableUser", user_id=theirs.user_id),
        owner.call("ResetPassword", user_id=theirs.user_id),
        owner.call("RevokeSession", session_id=theirs.session_id),
        owner.call("RevokeApiKey", api_key_id=key.api_key_id),
    ]
    for call in calls:
        assert await reason_of(call) is Reason.RESOURCE_NOT_FOUND
    for name in ("GetUser", "DisableUser"):
        assert await reason_of(owner.call(name, user_id="nobody")) is Reason.RESOURCE_NOT_FOUND
    assert len((await owner.call("ListUsers")).users) == 1
    assert len((await owner.call("ListApiKeys")).api_keys) == 0
    assert len((await owner.call("ListSessions")).sessions) == 1
    await theirs.call("GetMe")


async def test_an_error_holds_no_personal_data(owner: User) -> None:
    with pytest.raises(BossjyError) as caught:
        await owner.call("CreateUser", email="ann@example.com", role=MEMBER)
    assert "ann@" not in str(caught.value) + str(caught.value.metadata)
