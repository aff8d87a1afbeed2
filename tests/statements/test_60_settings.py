"""Statement 60, and 25 to 27: an operator's settings of passwords, tokens, sessions and second factors."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pyotp
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import made_server, on_parts
from tests.statements.conftest import PASSWORD, Person, registered

WAIT_S = 60.0
Serving = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.fixture
def serving(parts: EmbeddedParts, database_url: str, tmp_path: Path) -> Serving:
    """Starts servers with given settings on one database and one data folder, one after the other."""

    @asynccontextmanager
    async def serve(**settings: str) -> AsyncIterator[Person]:
        server = made_server(tmp_path, **(on_parts(database_url, parts.redis_url) | settings))
        try:
            server.start()
            async with grpc.aio.insecure_channel(server.target) as channel:
                yield Person(channel)
        finally:
            server.end()

    return serve


def claims(token: str) -> dict[str, object]:
    body = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


async def eventually_refused(person: Person, reason: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while (ended := await person.outcome("GetMe")).reason != reason:
        assert time.monotonic() < deadline, ended


@pytest.mark.statement(60)
@pytest.mark.statement(25)
@pytest.mark.statement(26)
@pytest.mark.statement(27)
@pytest.mark.timeout(240)
async def test_60_passwords_tokens_and_sessions_are_as_they_are_set(serving: Serving) -> None:
    settings = {
        "BOSSJY_PASSWORD_MIN_CHARS": "8",
        "BOSSJY_PASSWORD_MAX_CHARS": "64",
        "BOSSJY_TOKEN_ISSUER": "https://one.example.com",
        "BOSSJY_TOKEN_AUDIENCE": "contacts",
        "BOSSJY_ACCESS_LIFETIME_S": "120",
        "BOSSJY_REFRESH_IDLE_S": "300",
        "BOSSJY_SESSION_LIFETIME_S": "600",
        "BOSSJY_SESSIONS_PER_USER": "2",
        "BOSSJY_REFRESH_GRACE_S": "0",
        "BOSSJY_API_KEY_LIFETIME_S": "3600",
    }
    async with serving(**settings) as nobody:
        for password, code in (
            ("q7-vK2m", "INVALID_ARGUMENT"),
            ("q7-vK2m9", "OK"),
            ("x" * 60 + "quiet", "INVALID_ARGUMENT"),
        ):
            email = f"{len(password)}@example.com"
            ended = await nobody.outcome("Register", tenant_display_name="T", email=email, password=password)
            assert ended.code == code, password
        common = await nobody.outcome(
            "Register", tenant_display_name="T", email="c@example.com", password="dragonfire1"
        )
        assert common.reason == "PASSWORD_REFUSED"
        owner = await registered(nobody)
        found = claims(owner.access)
        assert (found["iss"], found["aud"]) == ("https://one.example.com", "contacts")
        assert int(str(found["exp"])) - int(str(found["iat"])) == 120
        (session,) = (await owner.call("ListSessions")).sessions
        assert session.expire_time.seconds - session.create_time.seconds in (599, 600, 601)
        login = await replace(owner, access="").call(
            "Login", tenant_id=owner.tenant_id, email=owner.email, password=PASSWORD
        )
        assert 0 < login.tokens.refresh_expire_time.seconds - time.time() <= 301
        key = (await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])).api_key
        assert key.expire_time.seconds - key.create_time.seconds in (3599, 3600, 3601)
        # A third session ends the first; a used refresh token is immediately a copy.
        await owner.login()
        assert (await owner.outcome("GetMe")).reason == "SESSION_ENDED"
        other = owner.holding(login.tokens, owner.user_id)
        renewed = await other.refreshed()
        assert (await other.outcome("RefreshToken", refresh_token=other.refresh)).reason == "REFRESH_TOKEN_REUSED"
        keeper = await owner.login()
        assert (await renewed.outcome("GetMe")).reason == "SESSION_ENDED"
    async with serving(**settings | {"BOSSJY_TOKEN_ISSUER": "https://two.example.com"}) as nobody:
        moved = replace(keeper, channel=nobody.channel)
        # Tokens of the former issuer have ended; the session continues with a refresh.
        assert (await moved.outcome("GetMe")).reason == "TOKEN_INVALID"
        moved = await moved.refreshed()
        assert claims(moved.access)["iss"] == "https://two.example.com"
        assert (await moved.outcome("GetMe")).code == "OK"


@pytest.mark.statement(60)
@pytest.mark.timeout(240)
async def test_60_a_required_second_factor(serving: Serving) -> None:
    async with serving(BOSSJY_SECOND_FACTOR_ROLES="owner,admin") as nobody:
        owner = await registered(nobody)
        me = await owner.call("GetMe")
        assert (me.second_factor_required, list(me.scopes)) == (True, [])
        assert (await owner.outcome("ListUsers")).reason == "SCOPE_MISSING"
        login: dict[str, Any] = {"tenant_id": owner.tenant_id, "email": owner.email, "password": PASSWORD}
        assert (await replace(owner, access="").call("Login", **login)).second_factor_required
        totp = pyotp.TOTP((await owner.call("BeginSecondFactor", password=PASSWORD)).secret)
        confirmed = await owner.call("ConfirmSecondFactor", totp_code=totp.at(int(time.time()) - 30))
        owner = await owner.refreshed()
        assert (await owner.outcome("ListUsers")).code == "OK"
        codes = confirmed.recovery_codes
        off = await owner.outcome("RemoveSecondFactor", password=PASSWORD, totp_code=codes[0])
        assert (off.code, off.reason) == ("FAILED_PRECONDITION", "SECOND_FACTOR_NEEDED")
        member = await owner.colleague()
        assert (await member.call("GetMe")).scopes
        # The tenant requires it of everybody.
        tenant = account_pb2.Tenant(second_factor_required=True)
        assert (await member.outcome("UpdateTenant", tenant=tenant)).reason == "SCOPE_MISSING"
        assert (await owner.call("UpdateTenant", tenant=tenant)).tenant.second_factor_required
        me = await (await member.refreshed()).call("GetMe")
        assert (me.second_factor_required, list(me.scopes)) == (True, [])
        answer = await replace(member, access="").call(
            "Login", tenant_id=member.tenant_id, email=member.email, password=PASSWORD
        )
        assert answer.second_factor_required


@pytest.mark.statement(60)
@pytest.mark.timeout(240)
async def test_60_without_revocations_tokens_are_refused_if_so_configured(serving: Serving) -> None:
    # Port 1 has no Redis.
    gone = {"REDIS_URL": "redis://127.0.0.1:1"}
    async with serving(**gone, BOSSJY_REVOCATIONS_LOST="refuse") as nobody:
        owner = await registered(nobody)
        await eventually_refused(owner, "CACHE_UNAVAILABLE")
    async with serving(**gone) as nobody:
        owner = await registered(nobody)
        began = time.monotonic()
        while time.monotonic() - began < 8:  # the setting applies after about five seconds without an answer
            assert (await owner.outcome("GetMe")).code == "OK"


@pytest.mark.statement(60)
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"BOSSJY_PASSWORD_MIN_CHARS": "300"}, "BOSSJY_PASSWORD_MIN_CHARS must be at most BOSSJY_PASSWORD_MAX_CHARS"),
        ({"BOSSJY_SESSION_LIFETIME_S": "60"}, "BOSSJY_SESSION_LIFETIME_S must be at least BOSSJY_REFRESH_IDLE_S"),
        ({"BOSSJY_REVOCATIONS_LOST": "guess"}, "BOSSJY_REVOCATIONS_LOST must be one of"),
        ({"BOSSJY_SECOND_FACTOR_ROLES": "boss"}, "BOSSJY_SECOND_FACTOR_ROLES must be"),
    ],
)
def test_60_unusable_settings_are_reported_in_one_line(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    server = made_server(tmp_path, **settings)
    server.launch()
    assert server.wait(60) == 2
    assert says in server.text()
    assert server.text().count("\n") == 1
