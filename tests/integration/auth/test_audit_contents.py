"""Audit events of refused scopes, of changed roles, and of an operator's acts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.auth.audit.operator_journal import OperatorJournal
from bossjy_server.auth.audit.refused_scopes import RefusedScopes
from bossjy_server.context import CallContext, Caller, enter_call
from bossjy_server.storage.audit import losses
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import Opened, User, register


async def events(owner: User, action: str) -> list[account_pb2.AuditEvent]:
    return list((await owner.call("ListAuditEvents", filter=f'action = "{action}"', page_size=500)).events)


async def test_a_change_of_role_says_from_what_to_what(owner: User) -> None:
    bob = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
    for role in (account_pb2.ROLE_ADMIN, account_pb2.ROLE_OWNER, account_pb2.ROLE_MEMBER):
        user = account_pb2.User(user_id=bob.user_id, role=role)
        await owner.call("UpdateUser", pb.UpdateUserRequest(user=user))
    found = await events(owner, "auth.change_role")
    assert [event.detail for event in reversed(found)] == ["member -> admin", "admin -> owner", "owner -> member"]
    assert {event.resource for event in found} == {bob.user_id}
    assert [event.detail for event in await events(owner, "auth.create_user")] == ["member"]
    named = account_pb2.User(user_id=bob.user_id, display_name="Bob")
    await owner.call("UpdateUser", pb.UpdateUserRequest(user=named))
    assert [event.detail for event in await events(owner, "auth.update_user")] == [""]


def calling(owner: User, *, key: str = "") -> Caller:
    """Make the running call one of the owner."""
    caller = Caller(owner.tenant_id, owner.user_id, frozenset(), "owner", session_id="s", api_key_id=key)
    context = CallContext("request", "/bossjy.auth.v1.AuthService/ListUsers", owner.address)
    context.caller = caller
    enter_call(context)
    return caller


async def test_a_refused_scope_is_recorded_once_a_minute(owner: User) -> None:
    refused = owner.auth.refused_scopes
    for _ in range(50):
        await refused.record(calling(owner), "users.read")
    await refused.record(calling(owner), "users.write")
    await refused.record(calling(owner, key="another"), "users.read")
    # CreateApiKey is refused with a text of the caller.
    await refused.record(calling(owner), "+442079460021")
    found = await events(owner, "auth.refuse_scope")
    assert [(event.actor, event.detail) for event in reversed(found)] == [
        (owner.user_id, "users.read"),
        (owner.user_id, "users.write"),
        ("another", "users.read"),
        (owner.user_id, "unknown"),
    ]
    assert {event.resource for event in found} == {"/bossjy.auth.v1.AuthService/ListUsers"}
    assert {event.outcome for event in found} == {"PERMISSION_DENIED"}
    assert "442079460021" not in str(found)


async def test_a_refusal_does_not_depend_on_the_database(owner: User, database_url: str) -> None:
    gone = await Database.open(database_url, min_size=1, max_size=1)
    caller = calling(owner)
    await gone.close()
    before = losses.count
    await RefusedScopes(gone).record(caller, "users.read")
    assert losses.count == before + 1  # a metric, with an alert
    assert not await events(owner, "auth.refuse_scope")


async def test_an_operators_acts_on_the_keys_are_visible_to_every_tenant(
    opened: Opened, owner: User, database: Database, tmp_path: Path
) -> None:
    other = await register(owner.auth, "Other")
    journal = OperatorJournal(tmp_path)
    journal.add("auth.rotate_keys", "kid-1")
    # Two servers copy it; a third has read it before.
    await OperatorJournal(tmp_path).copy(database)
    await asyncio.gather(journal.copy(database), OperatorJournal(tmp_path).copy(database))
    await journal.copy(database)
    for user in (owner, other):
        (event,) = await events(user, "auth.rotate_keys")
        assert (event.actor, event.resource, event.outcome) == ("operator", "kid-1", "OK")
    assert [event.action for event in (await owner.call("ListAuditEvents", filter='actor = "operator"')).events] == [
        "auth.rotate_keys"
    ]
    journal.add("auth.remove_key", "kid-2")
    async with opened():  # a server copies its operator's earlier acts
        async with asyncio.timeout(30):
            while not await events(owner, "auth.remove_key"):
                await asyncio.sleep(0.05)
    first = await owner.call("ListAuditEvents", page_size=1)
    rest = await owner.call("ListAuditEvents", page_size=10, page_token=first.next_page_token)
    assert [event.action for event in (*first.events, *rest.events)] == [
        "auth.remove_key",
        "auth.rotate_keys",
        "auth.register",
    ]


async def test_lines_that_cannot_be_read_are_passed_over(owner: User, database: Database, tmp_path: Path) -> None:
    journal = OperatorJournal(tmp_path)
    path = tmp_path / "keys" / "operator.jsonl"
    whole = {"event_id": "1", "event_time": "2026-01-01T00:00:00+00:00", "action": "auth.remove_key", "resource": "k"}
    lines = [
        "{",
        "7",
        json.dumps({"event_id": "2"}),
        json.dumps(whole | {"event_time": "soon"}),
        json.dumps(whole | {"resource": 7}),
        json.dumps(whole),
    ]
    path.write_text("\n".join(lines), "utf-8")
    await journal.copy(database)
    assert [event.resource for event in await events(owner, "auth.remove_key")] == ["k"]


async def test_the_service_may_not_change_what_an_operator_did(database: Database) -> None:
    for command in ("UPDATE bossjy.operator_events SET action = 'x'", "DELETE FROM bossjy.operator_events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.system() as connection:
                await connection.execute(command)


async def test_an_unreadable_journal_is_reported_and_keys_stay_in_use(
    opened: Opened, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "operator.jsonl").mkdir()
    async with opened(key_reload_s=0.1) as auth:
        owner = await register(auth)
        auth.keys.rotate()
        await asyncio.sleep(0.3)
        assert (await owner.call("GetMe")).scopes
    assert "not in the audit log yet" in caplog.text
