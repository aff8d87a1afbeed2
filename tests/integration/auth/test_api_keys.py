from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg

from bossjy_server.auth.credentials import token_format
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import Clock, Opened, User, reason_of, register

DAY = 86_400.0


async def new_key(user: User, scopes: tuple[str, ...] = ("phone.read",), **fields: object) -> User:
    made = await user.call("CreateApiKey", display_name="key", scopes=scopes, **fields)
    return User(user.auth, made.secret, tenant_id=user.tenant_id, session_id=made.api_key.api_key_id)


async def test_a_key_carries_its_scopes_and_no_more(owner: User) -> None:
    key = await new_key(owner, ("phone.read", "contacts.read"))
    assert key.credential.startswith(f"bjk_{owner.tenant_id}.")
    me = await key.call("GetMe")
    assert list(me.scopes) == ["contacts.read", "phone.read"]
    assert me.api_key_id == key.session_id
    assert (me.session_id, me.api_key.created_by) == ("", owner.user_id)


async def test_a_key_has_at_most_the_scopes_of_its_maker(owner: User) -> None:
    admin = await owner.new_user("bob@example.com", 3)
    assert await reason_of(new_key(admin, ("tenants.write",))) is Reason.SCOPE_MISSING
    assert await reason_of(new_key(owner, ("no.such",))) is Reason.SCOPE_MISSING
    key = await new_key(admin, ("phone.read", "users.write"))
    await key.call("GetMe")
    # It does not outlive the maker's demotion.
    await owner.call("UpdateUser", user={"user_id": admin.user_id, "role": 2})
    assert list((await key.call("GetMe")).scopes) == ["phone.read"]


async def test_keys_end_by_revoking_here_at_once_and_elsewhere_soon(opened: Opened, clock: Clock) -> None:
    async with opened() as here, opened() as there:
        user = await register(here)
        key = await new_key(user)
        elsewhere = replace(key, auth=there)
        await key.call("GetMe")
        await elsewhere.call("GetMe")
        await user.call("RevokeApiKey", api_key_id=key.session_id)
        assert await reason_of(key.call("GetMe")) is Reason.TOKEN_INVALID
        clock.ahead_s += 5.1
        assert await reason_of(elsewhere.call("GetMe")) is Reason.TOKEN_INVALID
        again = user.call("RevokeApiKey", api_key_id=key.session_id)
        assert await reason_of(again) is Reason.RESOURCE_NOT_FOUND


async def test_keys_end_by_themselves(owner: User, clock: Clock) -> None:
    plain = await new_key(owner)
    short = await new_key(owner, expire_time={"seconds": int(clock()) + 60})
    too_late = {"seconds": int(clock() + 730 * DAY) + 60}
    for time in ({"seconds": 1}, {"seconds": 2**62}, {"seconds": 2_000_000_000, "nanos": -1}, too_late):
        assert await reason_of(new_key(owner, expire_time=time)) is Reason.INVALID_FIELD
    await (await new_key(owner, expire_time={"seconds": int(clock() + 729 * DAY)})).call("GetMe")
    await short.call("GetMe")
    clock.ahead_s = 61
    assert await reason_of(short.call("GetMe")) is Reason.TOKEN_INVALID
    clock.ahead_s = 364 * DAY
    await plain.call("GetMe")
    clock.ahead_s = 366 * DAY
    assert await reason_of(plain.call("GetMe")) is Reason.TOKEN_INVALID


async def test_keys_that_were_not_given_out_are_refused(owner: User) -> None:
    key = await new_key(owner)
    other = await register(owner.auth, "Other")
    parts = token_format.parse_api_key(key.credential)
    assert parts
    forged = [
        "bjk_",
        key.credential + "A",
        key.credential[:-1] + ("B" if key.credential[-1] != "B" else "C"),
        key.credential.replace(owner.tenant_id, other.tenant_id),
        token_format.api_key_text(token_format.new_api_key(owner.tenant_id, parts.api_key_id)),
        token_format.api_key_text(token_format.new_api_key(owner.tenant_id, "nosuchkey")),
    ]
    for text in forged:
        assert await reason_of(User(owner.auth, text).call("GetMe")) is Reason.TOKEN_INVALID
    assert parts.secret not in repr(parts)


async def test_keys_are_listed_without_secrets_and_with_their_last_use(
    owner: User, clock: Clock, database_url: str
) -> None:
    used = await new_key(owner)
    await used.call("GetMe")
    clock.ahead_s += 1
    await new_key(owner)
    page = await owner.call("ListApiKeys", page_size=1)
    assert len(page.api_keys) == 1
    assert not page.api_keys[0].HasField("last_use_time")
    rest = await owner.call("ListApiKeys", page_size=1, page_token=page.next_page_token)
    assert rest.api_keys[0].api_key_id == used.session_id
    assert rest.api_keys[0].last_use_time.seconds % 60 == 0
    assert not rest.next_page_token
    connection = await asyncpg.connect(database_url)
    try:
        rows = str([tuple(row) for row in await connection.fetch("SELECT * FROM bossjy.api_keys")])
    finally:
        await connection.close()
    assert used.credential.rsplit(".", 1)[1] not in rows


async def test_making_a_key_can_be_repeated(owner: User) -> None:
    fields = {"display_name": "k", "scopes": ["phone.read"], "request_id": "one"}
    results = await asyncio.gather(*(owner.call("CreateApiKey", **fields) for _ in range(4)))
    assert len({result.api_key.api_key_id for result in results}) == 1
    assert sum(bool(result.secret) for result in results) == 1
    other = owner.call("CreateApiKey", **(fields | {"scopes": ["contacts.read"]}))
    assert await reason_of(other) is Reason.REQUEST_ID_REUSED


async def test_a_tenant_has_so_many_keys_and_no_more(opened: Opened) -> None:
    async with opened(api_keys_per_tenant_max=2) as auth:
        owner = await register(auth)
        first = await new_key(owner)
        await new_key(owner)
        assert await reason_of(new_key(owner)) is Reason.QUOTA_EXCEEDED
        await owner.call("RevokeApiKey", api_key_id=first.session_id)
        await new_key(owner)


async def test_a_key_is_no_person(owner: User) -> None:
    key = await new_key(owner, ("phone.read", "users.write"))
    for name, fields in (
        ("Logout", {"all_sessions": True}),
        ("ListSessions", {}),
        ("RevokeSession", {"session_id": owner.session_id}),
        ("UpdateMe", {"display_name": "x"}),
        ("ChangePassword", {"current_password": "x", "new_password": "y"}),
    ):
        assert await reason_of(key.call(name, **fields)) is Reason.SCOPE_MISSING
    await owner.call("GetMe")


async def test_introspection_covers_only_the_own_tenant(owner: User) -> None:
    key = await new_key(owner)
    other = await register(owner.auth, "Other")
    about = await owner.call("IntrospectToken", token=owner.credential)
    assert about.active
    assert (about.tenant_id, about.subject) == (owner.tenant_id, owner.user_id)
    assert about.session_id == owner.session_id
    assert "tenants.write" in about.scopes
    about = await owner.call("IntrospectToken", token=key.credential)
    assert (about.subject, list(about.scopes)) == (key.session_id, ["phone.read"])
    for text in ("x", other.credential, owner.refresh_token, (await new_key(other)).credential):
        answer = await owner.call("IntrospectToken", token=text)
        assert not answer.active
        assert not answer.tenant_id


async def test_memory_is_bounded(opened: Opened) -> None:
    async with opened(verified_tokens_max=3) as auth:
        owner = await register(auth)
        for _ in range(5):
            await (await new_key(owner)).call("GetMe")
            owner = await owner.refreshed()
            await owner.call("GetMe")
        assert len(auth.authenticator._verified) == 3
        assert len(auth.authenticator._api_keys._known) == 3
