"""Authority of callers with open streams, as another replica reads it from the database."""

from __future__ import annotations

import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.scopes import scopes_of
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import Clock, Opened, User, register

SCOPES = ["phone.read", "users.read"]


async def caller_of(user: User) -> Caller:
    return await user.auth.authenticator.caller_of(user.credential)


async def key_of(user: User) -> tuple[Caller, str]:
    """The caller of a new API key of the user, and the key's id."""
    made = await user.call("CreateApiKey", display_name="k", scopes=SCOPES)
    return await user.auth.authenticator.caller_of(made.secret), made.api_key.api_key_id


async def standing(user: User, *callers: Caller) -> list[object]:
    """Scopes, or the reason for their absence; None if it is unknown."""
    found = await user.auth.live_callers.recheck(callers)
    return [one.reason if isinstance(one, BossjyError) else one for one in found]


async def test_callers_of_several_tenants_are_checked_together(
    opened: Opened, database: Database, clock: Clock
) -> None:
    async with opened() as auth:
        ann, bob = await register(auth), await register(auth, "Other", "bob@example.com")
        key, _ = await key_of(bob)
        callers = [await caller_of(ann), key, await caller_of(bob)]
        assert await standing(ann, *callers) == [scopes_of("owner"), frozenset(SCOPES), scopes_of("owner")]
        clock.ahead_s = 3600  # the access tokens have expired, the sessions have not
        assert await standing(ann, *callers) == [scopes_of("owner"), frozenset(SCOPES), scopes_of("owner")]
        clock.ahead_s = 400 * 86_400
        assert await standing(ann, *callers) == [Reason.SESSION_ENDED, Reason.TOKEN_INVALID, Reason.SESSION_ENDED]
    async with database.system() as connection:
        assert await connection.fetchval("SELECT bossjy.current_tenant()") is None


async def test_a_caller_of_one_tenant_is_none_of_another(opened: Opened) -> None:
    async with opened() as auth:
        ann, bob = await register(auth), await register(auth, "Other", "bob@example.com")
        mine = await caller_of(ann)
        stolen = Caller(bob.tenant_id, mine.user_id, mine.scopes, mine.role, session_id=mine.session_id)
        assert await standing(ann, stolen) == [Reason.SESSION_ENDED]


@pytest.mark.parametrize("with_redis", [True, False])
async def test_another_replica_learns_of_ended_sessions(opened: Opened, *, with_redis: bool) -> None:
    options = {} if with_redis else {"redis_client": None}
    async with opened(**options) as auth, opened(**options) as other:
        owner = await register(auth)
        user = await owner.new_user("member@example.com", account_pb2.ROLE_ADMIN)
        key, key_id = await key_of(owner)
        of_user, _ = await key_of(user)
        session = await caller_of(user)
        assert await standing(owner, session, key, of_user) == [
            scopes_of("admin"),
            frozenset(SCOPES),
            frozenset(SCOPES),
        ]
        await owner.call("UpdateUser", user=account_pb2.User(user_id=user.user_id, role=account_pb2.ROLE_MEMBER))
        found = await other.live_callers.recheck([session, of_user])
        assert found == [scopes_of("member"), frozenset({"phone.read"})]
        await owner.call("RevokeApiKey", api_key_id=key_id)
        await owner.call("DisableUser", user_id=user.user_id)
        found = await other.live_callers.recheck([session, key, of_user])
        assert [one.reason if isinstance(one, BossjyError) else one for one in found] == [
            Reason.SESSION_ENDED,
            Reason.TOKEN_INVALID,
            Reason.TOKEN_INVALID,
        ]


async def test_a_user_who_must_change_the_password_has_no_scopes(opened: Opened) -> None:
    async with opened() as auth:
        owner = await register(auth)
        made = await owner.call("CreateUser", email="new@example.com", role=account_pb2.ROLE_MEMBER)
        user = await owner.login("new@example.com", made.password)
        assert await standing(owner, await caller_of(user)) == [frozenset()]


async def test_without_a_database_only_known_ends_are_reported(opened: Opened, database: Database) -> None:
    async with opened() as auth:
        owner = await register(auth)
        user = await owner.new_user("member@example.com", account_pb2.ROLE_MEMBER)
        key, _ = await key_of(owner)
        callers = [await caller_of(owner), await caller_of(user), key]
        await user.call("Logout")
        await database.close()
        assert await standing(owner, *callers) == [None, Reason.SESSION_ENDED, None]
