from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from bossjy_server.auth.people.registration import new_registration_token
from bossjy_server.auth.service import Auth
from bossjy_server.errors import BossjyError, InvalidArgument, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import EMAIL, Opened, User, reason_of, register


async def test_the_first_user_owns_the_tenant_and_is_logged_in(auth: Auth) -> None:
    owner = await register(auth, "Acme Ltd.", display_name="Ann")
    me = await owner.call("GetMe")
    assert owner.tenant_id.startswith("acme-ltd-")
    assert (me.user.email, me.user.display_name, me.user.role) == (EMAIL, "Ann", 4)
    assert me.tenant.display_name == "Acme Ltd."
    assert "tenants.write" in me.scopes
    assert me.session_id == owner.session_id
    assert me.user.last_login_time.seconds > 0


async def test_two_tenants_may_have_one_name_and_one_mail_address(auth: Auth) -> None:
    first, second = await asyncio.gather(register(auth, "公司"), register(auth, "公司"))
    assert first.tenant_id != second.tenant_id
    assert first.tenant_id.startswith("tenant-")


async def test_a_poor_password_is_refused_and_says_why(auth: Auth) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await User(auth).call("Register", tenant_display_name="Acme", email=EMAIL, password="Password12345678")
    assert caught.value.reason is Reason.PASSWORD_REFUSED
    assert caught.value.violations[0].field == "password"


async def test_closed_is_closed(opened: Opened) -> None:
    async with opened(registration="closed") as auth:
        assert auth.registration_token is None
        assert await reason_of(register(auth)) is Reason.REGISTRATION_CLOSED


async def test_the_first_token_admits_one_registration(opened: Opened, tmp_path: Path) -> None:
    async with opened(registration="token") as auth:
        token = auth.registration_token
        assert token
        assert token not in repr(auth)
        file = tmp_path / "registration_token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert await reason_of(register(auth)) is Reason.REGISTRATION_CLOSED
        assert await reason_of(register(auth, registration_token="bjg_no")) is Reason.REGISTRATION_CLOSED
        # A registration that fails for another reason does not use up the token.
        poor = User(auth).call("Register", tenant_display_name="A", email=EMAIL, password="x", registration_token=token)
        assert await reason_of(poor) is Reason.PASSWORD_REFUSED
    async with opened(registration="token") as again:
        assert again.registration_token == token
        await register(again, registration_token=token)
        assert await reason_of(register(again, registration_token=token)) is Reason.REGISTRATION_CLOSED
    async with opened(registration="token") as later:
        assert later.registration_token is None
        assert not file.exists()


async def test_of_parallel_registrations_with_one_token_one_goes_through(opened: Opened, database: Database) -> None:
    async with opened(registration="token", hash_queue_per_thread=20) as auth:
        token = await new_registration_token(database)
        results = await asyncio.gather(
            *(register(auth, registration_token=token) for _ in range(5)), return_exceptions=True
        )
    reasons = [result.reason for result in results if isinstance(result, BossjyError)]
    assert reasons == [Reason.REGISTRATION_CLOSED] * 4
