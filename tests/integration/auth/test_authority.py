"""Authority is decided in the transaction of a change, on every replica; tokens carry the revision of their user."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.auth import store
from bossjy_server.auth.authority_changes import changing
from bossjy_server.auth.login import session_store
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, PermissionDenied, Reason, Unauthenticated
from bossjy_server.scopes import Role, scopes_of
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import open_redis
from tests.integration.auth.conftest import EMAIL, PASSWORD, Opened, User, reason_of, register
from tests.integration.auth.test_api_keys import DAY, new_key

NOWHERE = "redis://127.0.0.1:1/0"
MEMBER, ADMIN, OWNER = account_pb2.ROLE_MEMBER, account_pb2.ROLE_ADMIN, account_pb2.ROLE_OWNER
NEW_PASSWORD = "a kettle on the windy roof 9"


async def test_a_replica_that_has_not_heard_refuses_changes(opened: Opened) -> None:
    nowhere = open_redis(NOWHERE, timeout_s=0.1)
    async with opened(redis_client=nowhere) as here, opened(redis_client=nowhere) as there:
        owner = await register(here)
        admin = await owner.new_user("bob@example.com", OWNER)
        gone = await owner.new_user("eve@example.com", OWNER)
        await owner.call("UpdateUser", user={"user_id": admin.user_id, "role": ADMIN})
        await owner.call("DisableUser", user_id=gone.user_id)
        admin, gone = replace(admin, auth=there), replace(gone, auth=there)
        # Reads continue until the token expires; changes do not.
        await admin.call("ListUsers")
        own = {"user_id": admin.user_id, "role": OWNER}
        assert await reason_of(admin.call("UpdateUser", user=own)) is Reason.TOKEN_EXPIRED
        assert await reason_of(gone.call("EnableUser", user_id=gone.user_id)) is Reason.SESSION_ENDED
        member = {"user_id": admin.user_id, "role": MEMBER}
        await owner.call("UpdateUser", user=member)
        assert await reason_of(admin.call("UpdateUser", user=own)) is Reason.SCOPE_MISSING
        assert (await owner.call("GetUser", user_id=admin.user_id)).user.role == MEMBER
    await nowhere.aclose()


async def test_a_token_that_is_signed_after_the_role_changed_does_not_pass(owner: User, database: Database) -> None:
    """The refresh commits, the role changes, and only then is the token signed."""
    admin = await owner.new_user("bob@example.com", ADMIN)
    async with database.tenant(admin.tenant_id) as connection:
        session = await session_store.find(connection, admin.tenant_id, admin.session_id)
        user = await store.user(connection, admin.tenant_id, admin.user_id)
    assert session is not None
    for role in (MEMBER, ADMIN):  # twice within a second as well
        await owner.call("UpdateUser", user={"user_id": admin.user_id, "role": role})
    late = admin.auth.servicer._sessions.tokens_of(session, user)
    assert await reason_of(replace(admin, credential=late.access_token).call("GetMe")) is Reason.TOKEN_EXPIRED


async def test_other_changes_of_a_user_end_no_token(owner: User) -> None:
    member = await owner.new_user("bob@example.com", MEMBER)
    await member.call("UpdateMe", display_name="Bob")
    await owner.call("UpdateUser", user={"user_id": member.user_id, "language": "de", "role": MEMBER})
    await member.call("GetMe")


async def test_a_refresh_waits_for_a_change_of_its_user(owner: User, database_url: str) -> None:
    other = await asyncpg.connect(database_url)
    change = other.transaction()
    await change.start()
    await other.execute("UPDATE bossjy.users SET role = 'member', revision = revision + 1")
    refreshing = asyncio.create_task(owner.refreshed())
    done, _ = await asyncio.wait([refreshing], timeout=0.5)
    assert not done
    await change.commit()
    await other.close()
    assert "users.write" not in (await (await refreshing).call("GetMe")).scopes


async def test_nobody_refreshes_a_session_of_a_disabled_user(owner: User, database_url: str) -> None:
    other = await asyncpg.connect(database_url)
    await other.execute("UPDATE bossjy.users SET state = 'disabled'")
    await other.close()
    assert await reason_of(owner.refreshed()) is Reason.SESSION_ENDED


async def test_a_change_of_the_password_loses_against_another(owner: User) -> None:
    second = await owner.login()
    ended = await asyncio.gather(
        *(
            user.call("ChangePassword", current_password=PASSWORD, new_password=f"{NEW_PASSWORD} {number}")
            for number, user in enumerate((owner, second))
        ),
        return_exceptions=True,
    )
    refused = [one for one in ended if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [Unauthenticated]
    taken = next(number for number, one in enumerate(ended) if not isinstance(one, BaseException))
    await owner.login(password=f"{NEW_PASSWORD} {taken}")


async def test_a_login_may_write_the_hash_again_while_the_password_is_changed(opened: Opened) -> None:
    async with opened() as before, opened(argon2_time_cost=4) as after:
        owner = await register(before)
        await replace(owner, auth=after).login()  # the same password, hashed with other settings
        await owner.call("ChangePassword", current_password=PASSWORD, new_password=NEW_PASSWORD)
        await owner.login(EMAIL, NEW_PASSWORD)


async def test_a_reset_looks_at_the_rank_again(owner: User, database_url: str) -> None:
    admin = await owner.new_user("bob@example.com", ADMIN)
    target = await owner.new_user("eve@example.com", MEMBER)
    other = await asyncpg.connect(database_url)
    promotion = other.transaction()
    await promotion.start()
    await other.execute("SELECT FROM bossjy.tenants FOR NO KEY UPDATE")
    reset = asyncio.create_task(reason_of(admin.call("ResetPassword", user_id=target.user_id)))
    done, _ = await asyncio.wait([reset], timeout=1)  # it has read the user, hashed, and waits for the tenant
    assert not done
    await other.execute("UPDATE bossjy.users SET role = 'owner' WHERE user_id = $1", target.user_id)
    await promotion.commit()
    await other.close()
    assert await reset is Reason.SCOPE_MISSING
    await target.login("eve@example.com")


async def test_a_reset_ends_keys_unless_they_are_kept(owner: User) -> None:
    admin = await owner.new_user("bob@example.com", ADMIN)
    kept, ended = await new_key(admin), await new_key(admin)
    await owner.call("ResetPassword", user_id=admin.user_id, keep_api_keys=True)
    await kept.call("GetMe")
    await owner.call("ResetPassword", user_id=admin.user_id)
    for key in (kept, ended):
        assert await reason_of(key.call("GetMe")) is Reason.TOKEN_INVALID


async def test_a_key_acts_only_on_roles_within_its_scopes(owner: User) -> None:
    work = tuple(sorted(scopes_of(Role.MEMBER)))
    key = await new_key(owner, (*work, "users.write", "keys.write"))
    member = await key.call("CreateUser", email="bob@example.com", role=MEMBER)
    with pytest.raises(PermissionDenied) as caught:
        await key.call("CreateUser", email="eve@example.com", role=ADMIN)
    assert caught.value.metadata == {"scope": "audit.read", "cause": "KEY_WITHOUT_SCOPE", "role": "owner"}
    with pytest.raises(PermissionDenied):
        await key.call("UpdateUser", user={"user_id": member.user.user_id, "role": OWNER})
    large, small = await new_key(owner, ("tenants.read",)), await new_key(owner, work)
    assert await reason_of(key.call("RevokeApiKey", api_key_id=large.session_id)) is Reason.SCOPE_MISSING
    await key.call("RevokeApiKey", api_key_id=small.session_id)
    await owner.call("RevokeApiKey", api_key_id=large.session_id)


async def test_a_key_that_a_key_made_ends_with_it_at_once(opened: Opened) -> None:
    async with opened() as here, opened() as there:
        owner = await register(here)
        parent = await new_key(owner, ("keys.write", "phone.read"))
        child = await new_key(parent, ("keys.write", "phone.read"))
        grandchild = await new_key(child)
        await grandchild.call("GetMe")
        elsewhere = replace(grandchild, auth=there)
        await elsewhere.call("GetMe")
        listed = {one.api_key_id: one for one in (await owner.call("ListApiKeys")).api_keys}
        assert listed[child.session_id].parent_api_key_id == parent.session_id
        assert listed[grandchild.session_id].expire_time == listed[parent.session_id].expire_time
        assert listed[parent.session_id].parent_api_key_id == ""
        await owner.call("RevokeApiKey", api_key_id=parent.session_id)
        for key in (parent, child, grandchild):
            assert await reason_of(key.call("GetMe")) is Reason.TOKEN_INVALID
        # The other replica caches the key for some seconds more; reads of the key itself use its row.
        assert await reason_of(elsewhere.call("GetMe")) is Reason.TOKEN_INVALID
        assert await reason_of(owner.call("RevokeApiKey", api_key_id=child.session_id)) is Reason.RESOURCE_NOT_FOUND


async def test_the_life_of_a_key_is_bounded(opened: Opened) -> None:
    async with opened(api_key_lifetime_s=60, api_key_lifetime_max_s=int(2 * DAY)) as auth:
        owner = await register(auth)
        now = int(auth.servicer._api_keys._clock())
        parent = await new_key(owner, ("keys.write", "phone.read"), expire_time={"seconds": now + 7200})
        await new_key(parent, expire_time={"seconds": now + 7200})
        for late in (7201, int(3 * DAY)):
            call = new_key(parent, expire_time={"seconds": now + late})
            assert await reason_of(call) is Reason.INVALID_FIELD
        with pytest.raises(BossjyError, match="at most 2 days ahead"):
            await new_key(owner, expire_time={"seconds": now + int(3 * DAY)})


async def test_a_key_learns_of_itself_and_not_of_its_maker(owner: User) -> None:
    key = await new_key(owner)
    me = await key.call("GetMe")
    assert not me.HasField("user")
    assert (me.api_key.display_name, me.api_key.created_by, list(me.api_key.scopes)) == (
        "key",
        owner.user_id,
        ["phone.read"],
    )
    assert EMAIL not in str(me)


async def test_a_caller_of_no_tenant_changes_nothing(database: Database) -> None:
    stranger = Caller("nobody-1", "nobody", scopes_of(Role.OWNER), "owner", session_id="none")
    with pytest.raises(BossjyError):
        async with changing(database, stranger):
            pytest.fail("it was admitted")
