"""A second factor required by a role or a tenant: no scopes without it, and no removal."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import EMAIL, PASSWORD, Clock, Opened, User, reason_of, register

ROLES = {"second_factor_roles": frozenset({"owner", "admin"})}


async def set_up(user: User, clock: Clock) -> pyotp.TOTP:
    totp = pyotp.TOTP((await user.call("BeginSecondFactor", password=PASSWORD)).secret)
    await user.call("ConfirmSecondFactor", totp_code=totp.at(int(clock())))
    clock.ahead_s += 30
    return totp


async def asks(user: User, required: bool) -> account_pb2.Tenant:  # noqa: FBT001 - the value that is set
    tenant = account_pb2.Tenant(second_factor_required=required)
    mask = FieldMask(paths=["second_factor_required"])
    answer = await user.call("UpdateTenant", pb.UpdateTenantRequest(tenant=tenant, update_mask=mask))
    changed: account_pb2.Tenant = answer.tenant
    return changed


async def test_a_role_that_needs_one_has_no_scopes_until_it_is_set_up(opened: Opened, clock: Clock) -> None:
    async with opened(**ROLES) as auth:
        answer = await User(auth).call("Register", tenant_display_name="Acme", email=EMAIL, password=PASSWORD)
        assert answer.second_factor_required
        owner = User(
            auth,
            tenant_id=answer.tenant.tenant_id,
            user_id=answer.user.user_id,
            credential=answer.tokens.access_token,
            refresh_token=answer.tokens.refresh_token,
        )
        me = await owner.call("GetMe")
        assert (me.second_factor_required, list(me.scopes)) == (True, [])
        login = await User(auth).call("Login", tenant_id=owner.tenant_id, email=EMAIL, password=PASSWORD)
        assert login.second_factor_required
        totp = await set_up(owner, clock)
        owner = await owner.refreshed()
        me = await owner.call("GetMe")
        assert not me.second_factor_required
        assert "tenants.write" in me.scopes
        again = await owner.login(totp_code=totp.at(int(clock())))
        assert (await again.call("GetMe")).scopes == me.scopes
        # Its user can replace it, but not remove it.
        clock.ahead_s += 30
        off = owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=totp.at(int(clock())))
        assert await reason_of(off) is Reason.SECOND_FACTOR_NEEDED
        assert (await owner.call("GetMe")).user.second_factor
        clock.ahead_s += 30
        await owner.call("BeginSecondFactor", password=PASSWORD, totp_code=totp.at(int(clock())))


async def test_other_roles_and_services_go_without(opened: Opened, clock: Clock) -> None:
    async with opened(**ROLES) as auth:
        owner = await register(auth)
        await set_up(owner, clock)
        owner = await owner.refreshed()
        member = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
        me = await member.call("GetMe")
        assert not me.second_factor_required
        assert me.scopes
        await asks(owner, required=True)
        service = await owner.new_user("robot@example.com", account_pb2.ROLE_SERVICE)
        assert (await service.call("GetMe")).scopes
        # After a promotion, the member needs one.
        user = account_pb2.User(user_id=member.user_id, role=account_pb2.ROLE_ADMIN)
        await owner.call("UpdateUser", pb.UpdateUserRequest(user=user))
        me = await (await member.refreshed()).call("GetMe")
        assert (me.second_factor_required, list(me.scopes)) == (True, [])


async def test_a_tenant_asks_for_it_and_stops_asking(owner: User, clock: Clock) -> None:
    member = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
    assert not (await owner.call("GetTenant")).tenant.second_factor_required
    assert (await asks(owner, required=True)).second_factor_required
    for user in (owner, member):
        me = await (await user.refreshed()).call("GetMe")
        assert (me.tenant.second_factor_required, me.second_factor_required, list(me.scopes)) == (True, True, [])
    owner = await owner.login()
    totp = await set_up(owner, clock)
    owner = await owner.refreshed()
    assert (await owner.call("GetMe")).scopes
    code = totp.at(int(clock()))
    off = owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=code)
    assert await reason_of(off) is Reason.SECOND_FACTOR_NEEDED
    # When it is no longer required, it can be removed.
    assert not (await asks(owner, required=False)).second_factor_required
    clock.ahead_s += 30
    await owner.call("RemoveSecondFactor", password=PASSWORD, totp_code=totp.at(int(clock())))
    assert (await (await owner.refreshed()).call("GetMe")).scopes
    events = (await owner.call("ListAuditEvents", filter='action = "auth.update_tenant"')).events
    assert [event.detail for event in events] == ["second factor not required", "second factor required"]


async def test_a_required_factor_does_not_affect_keys(owner: User) -> None:
    key = (await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])).secret
    await asks(owner, required=True)
    me = await replace(owner, credential=key).call("GetMe")
    assert not me.second_factor_required
    assert list(me.scopes) == ["phone.read"]


@pytest.mark.parametrize("role", ["service", "boss"])
async def test_a_role_that_cannot_have_one_is_no_setting(opened: Opened, role: str) -> None:
    with pytest.raises(Exception, match="second_factor_roles"):
        async with opened(second_factor_roles=frozenset({role})):
            pass
