"""The caller's authority in the database, and the locks that keep it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bossjy_server.context import CallContext, Caller, enter_call
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.scopes import Role, scopes_of
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import Held, hold_caller
from bossjy_server.storage.postgres import Connection, Database

_ROWS = """
INSERT INTO bossjy.tenants (tenant_id, display_name) VALUES ('acme', 'Acme');
INSERT INTO bossjy.users (tenant_id, user_id, email, email_key, password_hash, role)
    VALUES ('acme', 'ann', 'a@b.c', 'a@b.c', '-', 'admin');
INSERT INTO bossjy.sessions (tenant_id, session_id, user_id, refresh_seed, refresh_expire_time, expire_time)
    VALUES ('acme', 's1', 'ann', '-', now() + interval '1 day', now() + interval '1 day');
INSERT INTO bossjy.api_keys (tenant_id, api_key_id, secret_hash, display_name, scopes, created_by, expire_time)
    VALUES ('acme', 'k1', '-', 'job', '{phone.read,users.write}', 'ann', now() + interval '1 day')"""
SESSION = Caller("acme", "ann", scopes_of(Role.ADMIN), "admin", session_id="s1")
KEY = Caller("acme", "ann", frozenset({"phone.read", "users.write"}), "admin", api_key_id="k1")
CALLERS = pytest.mark.parametrize("caller", [SESSION, KEY], ids=["session", "key"])
CHANGES = pytest.mark.parametrize("changes", [False, True], ids=["writes", "changes-authority"])
END = "UPDATE bossjy.{} SET end_time = now()"


@pytest.fixture(autouse=True)
async def rows(database: Database) -> None:
    async with database.tenant("acme") as connection:
        await connection.execute(_ROWS)
    enter_call(CallContext("request", "/a.B/C"))


async def held(database: Database, caller: Caller, *, changes: bool = False) -> Held:
    async with database.tenant("acme") as connection:
        return await hold_caller(connection, caller, changes_authority=changes)


async def reason(database: Database, caller: Caller, *, changes: bool = False) -> Reason:
    with pytest.raises(BossjyError) as caught:
        await held(database, caller, changes=changes)
    return caught.value.reason


async def change(database: Database, statement: str, *values: object) -> None:
    async with database.tenant("acme") as connection:
        await connection.execute(statement, *values)


@asynccontextmanager
async def holding(database: Database, caller: Caller, *, changes: bool) -> AsyncIterator[Connection]:
    async with database.tenant("acme") as connection:
        await hold_caller(connection, caller, changes_authority=changes)
        yield connection


@CHANGES
async def test_a_caller_has_the_scopes_of_both_credentials_and_role(database: Database, *, changes: bool) -> None:
    of_session = await held(database, SESSION, changes=changes)
    assert (of_session.role, of_session.scopes) == (Role.ADMIN, scopes_of(Role.ADMIN))
    of_key = await held(database, KEY, changes=changes)
    assert (of_key.role, of_key.scopes) == (Role.ADMIN, KEY.scopes)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert abs(of_key.expire_time - tomorrow) < timedelta(minutes=5)


@CHANGES
@pytest.mark.parametrize(
    "statement",
    [
        END.format("sessions"),
        "UPDATE bossjy.sessions SET expire_time = now() - interval '1 s'",
        "UPDATE bossjy.users SET state = 'disabled'",
        "DELETE FROM bossjy.sessions",
    ],
)
async def test_an_ended_session_has_no_rights(database: Database, statement: str, *, changes: bool) -> None:
    await change(database, statement)
    assert await reason(database, SESSION, changes=changes) is Reason.SESSION_ENDED


@CHANGES
@pytest.mark.parametrize(
    "statement",
    [
        END.format("api_keys"),
        "UPDATE bossjy.api_keys SET expire_time = now() - interval '1 s'",
        "UPDATE bossjy.users SET state = 'disabled'",
        "DELETE FROM bossjy.api_keys",
    ],
)
async def test_an_ended_key_has_no_rights(database: Database, statement: str, *, changes: bool) -> None:
    await change(database, statement)
    assert await reason(database, KEY, changes=changes) is Reason.TOKEN_INVALID


async def test_credentials_of_another_user_give_no_rights(database: Database) -> None:
    assert await reason(database, replace(SESSION, user_id="bob")) is Reason.SESSION_ENDED
    assert await reason(database, replace(KEY, user_id="bob")) is Reason.TOKEN_INVALID
    assert await reason(database, replace(SESSION, session_id="")) is Reason.SESSION_ENDED


@CALLERS
@CHANGES
async def test_a_scope_that_the_role_lost_is_missing(database: Database, caller: Caller, *, changes: bool) -> None:
    enter_call(CallContext("request", "/a.B/C", scope="users.write"))
    await held(database, caller, changes=changes)
    await change(database, "UPDATE bossjy.users SET role = 'member'")
    assert await reason(database, caller, changes=changes) is Reason.SCOPE_MISSING
    enter_call(CallContext("request", "/a.B/C", scope="phone.read"))
    assert "users.write" not in (await held(database, caller)).scopes


async def test_a_token_of_another_role_changes_no_authority(database: Database) -> None:
    await change(database, "UPDATE bossjy.users SET role = 'owner'")
    assert await reason(database, SESSION, changes=True) is Reason.TOKEN_EXPIRED
    assert (await held(database, SESSION)).scopes == SESSION.scopes  # not those that the token lacks
    assert (await held(database, KEY, changes=True)).role is Role.OWNER


async def test_a_password_that_must_be_changed_leaves_a_session_no_scope(database: Database) -> None:
    await change(database, "UPDATE bossjy.users SET password_change_required = true")
    assert (await held(database, SESSION)).scopes == frozenset()
    assert (await held(database, KEY)).scopes == KEY.scopes
    enter_call(CallContext("request", "/a.B/C", scope="users.write"))
    assert await reason(database, SESSION) is Reason.SCOPE_MISSING


@CALLERS
@CHANGES
async def test_the_end_of_a_caller_waits_for_its_writes(database: Database, caller: Caller, *, changes: bool) -> None:
    table = "api_keys" if caller.api_key_id else "sessions"
    async with holding(database, caller, changes=changes):
        ending = asyncio.create_task(change(database, END.format(table)))
        done, _ = await asyncio.wait([ending], timeout=0.3)
        assert not done
    await asyncio.wait_for(ending, 10)


@CALLERS
async def test_a_write_that_waits_for_an_end_sees_it(database: Database, caller: Caller) -> None:
    table = "api_keys" if caller.api_key_id else "sessions"
    async with database.tenant("acme") as connection:
        await connection.execute(END.format(table))
        late = asyncio.create_task(reason(database, caller))
        done, _ = await asyncio.wait([late], timeout=0.3)
        assert not done
    assert await asyncio.wait_for(late, 10) in (Reason.SESSION_ENDED, Reason.TOKEN_INVALID)


async def test_a_change_of_authority_locks_the_role(database: Database) -> None:
    async with holding(database, SESSION, changes=True):
        demotion = asyncio.create_task(change(database, "UPDATE bossjy.users SET role = 'member'"))
        done, _ = await asyncio.wait([demotion], timeout=0.3)
        assert not done
    await asyncio.wait_for(demotion, 10)
    assert await reason(database, SESSION, changes=True) is Reason.TOKEN_EXPIRED


@CALLERS
async def test_writes_wait_neither_for_each_other_nor_for_a_login(database: Database, caller: Caller) -> None:
    async with holding(database, caller, changes=False):
        await asyncio.wait_for(held(database, caller), 10)
        login = "UPDATE bossjy.users SET last_login_time = now()"
        await asyncio.wait_for(change(database, login), 10)
        async with database.tenant("acme") as connection:
            await asyncio.wait_for(record(connection, "acme", "auth.login"), 10)


async def test_an_audit_event_does_not_wait_for_a_change_of_authority(database: Database) -> None:
    async with database.tenant("acme") as connection:
        await connection.execute("SELECT FROM bossjy.tenants FOR NO KEY UPDATE")
        await hold_caller(connection, SESSION, changes_authority=True)
        async with database.tenant("acme") as other:
            await asyncio.wait_for(record(other, "acme", "auth.login"), 10)


@CALLERS
async def test_an_end_is_not_delayed_by_many_writes(database_url: str, caller: Caller) -> None:
    """Writes that overlap without a gap could keep the row shared forever; locks taken last leave gaps."""
    database = await Database.open(database_url, max_size=12)
    done = asyncio.Event()

    async def write() -> int:
        count = 0
        while not done.is_set():
            try:
                await held(database, caller)
            except BossjyError:
                return count
            count += 1
        return count

    writing = [asyncio.create_task(write()) for _ in range(8)]
    try:
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        await change(database, END.format("api_keys" if caller.api_key_id else "sessions"))
        assert time.monotonic() - begun < 5
        assert sum(await asyncio.wait_for(asyncio.gather(*writing), 20)) > 8
    finally:
        done.set()
        await database.close()


async def test_opposite_changes_of_two_users_do_not_deadlock(database: Database) -> None:
    await change(
        database,
        "INSERT INTO bossjy.users (tenant_id, user_id, email, email_key, password_hash, role)"
        " VALUES ('acme', 'bob', 'b@b.c', 'b@b.c', '-', 'admin');"
        "INSERT INTO bossjy.sessions (tenant_id, session_id, user_id, refresh_seed, refresh_expire_time, expire_time)"
        " VALUES ('acme', 's2', 'bob', '-', now() + interval '1 day', now() + interval '1 day')",
    )
    bob = replace(SESSION, user_id="bob", session_id="s2")

    async def disturb(caller: Caller, other: str) -> None:
        async with database.tenant("acme") as connection:
            await connection.execute("SELECT FROM bossjy.tenants FOR NO KEY UPDATE")
            await hold_caller(connection, caller, changes_authority=True)
            await connection.execute("UPDATE bossjy.users SET revision = revision + 1 WHERE user_id = $1", other)
            await connection.execute("UPDATE bossjy.sessions SET last_use_time = now() WHERE user_id = $1", other)

    async def renew(caller: Caller) -> None:
        async with database.tenant("acme") as connection:
            await hold_caller(connection, caller, changes_authority=True)
            await connection.execute(
                "UPDATE bossjy.sessions SET generation = generation + 1 WHERE session_id = $1", caller.session_id
            )
            await record(connection, "acme", "auth.refresh")

    for _ in range(20):
        await asyncio.gather(disturb(SESSION, "bob"), disturb(bob, "ann"), renew(SESSION), renew(bob))
