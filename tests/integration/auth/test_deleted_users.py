"""DeleteUser: no personal data remains, and the id does."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from bossjy.auth.v1 import account_pb2
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import EMAIL, PASSWORD, User, reason_of


async def test_a_deleted_user_leaves_only_an_id(owner: User, database_url: str) -> None:
    email = "bob@example.com"
    bob = await owner.new_user(email, account_pb2.ROLE_ADMIN)
    key = await bob.call("CreateApiKey", display_name="k", scopes=["phone.read"])
    await bob.call("BeginSecondFactor", password=PASSWORD)
    assert await reason_of(owner.call("DeleteUser", user_id=owner.user_id)) is Reason.LAST_OWNER
    assert await reason_of(bob.call("DeleteUser", user_id=owner.user_id)) is Reason.SCOPE_MISSING
    assert (await owner.call("DeleteUser", user_id=bob.user_id)).ended_count == 1

    assert await reason_of(bob.call("GetMe")) is Reason.SESSION_ENDED
    assert await reason_of(bob.refreshed()) in {Reason.SESSION_ENDED, Reason.TOKEN_INVALID}
    assert await reason_of(replace(bob, credential=key.secret).call("GetMe")) is Reason.TOKEN_INVALID
    for address in (email, "deleted", f"DELETED {bob.user_id}"):
        assert await reason_of(owner.login(address)) is Reason.LOGIN_REFUSED
    for method in ("GetUser", "EnableUser", "DeleteUser", "ResetPassword"):
        assert await reason_of(owner.call(method, user_id=bob.user_id)) is Reason.RESOURCE_NOT_FOUND
    assert [user.email for user in (await owner.call("ListUsers")).users] == [EMAIL]
    (event,) = (await owner.call("ListAuditEvents", filter='action = "auth.delete_user"')).events
    assert (event.actor, event.resource) == (owner.user_id, bob.user_id)
    connection = await asyncpg.connect(database_url)
    kept = await connection.fetchval("SELECT u::text FROM bossjy.users u WHERE user_id = $1", bob.user_id)
    assert bob.user_id in kept
    assert "bob" not in kept.replace(bob.user_id, "")
    for table in ("sessions", "second_factors", "recovery_codes", "login_networks"):
        assert not await connection.fetchval(f"SELECT count(*) FROM bossjy.{table} WHERE user_id = $1", bob.user_id)
    await connection.close()
    # The address is free again.
    assert (await owner.call("CreateUser", email=email, role=account_pb2.ROLE_OWNER)).user.user_id != bob.user_id
