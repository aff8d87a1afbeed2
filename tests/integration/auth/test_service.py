"""Auth as a whole: start, keys that another process creates, and the path through gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import pytest

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_server.auth import store
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.people import accounts
from bossjy_server.auth.people.tenant_limits import TenantLimits
from bossjy_server.auth.service import Auth, load_keys
from bossjy_server.auth.servicer import AuthServicer
from bossjy_server.errors import Reason, StartError
from bossjy_server.storage.driver_errors import UniqueViolation
from bossjy_server.storage.postgres import Database
from bossjy_server.tenant_settings import TenantSettings
from tests.integration.auth.conftest import Clock, Opened, User, reason_of, register
from tests.service import EMAIL, PASSWORD, Service


def test_every_method_of_the_contract_is_there() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["AuthService"].methods}
    assert {name for name in methods if not hasattr(AuthServicer, name)} == set()


async def test_settings_that_cannot_work_are_refused_at_start(opened: Opened) -> None:
    with pytest.raises(StartError, match="access_lifetime_s"):
        async with opened(access_lifetime_s=1):
            pass


async def test_a_key_of_another_process_is_found_and_a_broken_folder_survived(
    opened: Opened, tmp_path: Path, clock: Clock
) -> None:
    async with opened(key_reload_s=0.1) as auth:
        user = await register(auth)
        clock.ahead_s += 2
        made = load_keys(tmp_path, AuthOptions(key_activation_s=0), clock).rotate()
        await until(lambda: auth.keys.signing.kid == made.kid)
        await user.call("GetMe")
        jwks = (await User(auth).call("GetJwks")).keys
        assert jwks[0].kid == made.kid
        assert len(jwks) == 2
        (tmp_path / "keys" / f"1-{'A' * 43}.pem").write_text("broken")
        await asyncio.sleep(0.2)
        await (await user.refreshed()).call("GetMe")


async def test_verified_tokens_of_a_removed_key_end(opened: Opened, clock: Clock) -> None:
    async with opened() as auth:
        user = await register(auth)
        await user.call("GetMe")
        first = auth.keys.signing
        clock.ahead_s += 2
        await asyncio.to_thread(auth.keys.rotate)
        await user.call("GetMe")
        await asyncio.to_thread(auth.keys.remove, first.kid)
        assert await reason_of(user.call("GetMe")) is Reason.TOKEN_INVALID
        await (await user.refreshed()).call("GetMe")


async def test_tokens_that_have_expired_are_not_kept(opened: Opened, clock: Clock) -> None:
    async with opened() as auth:
        user = await register(auth)
        for _ in range(3):
            await user.call("GetMe")
            user = await user.refreshed()
        assert len(auth.authenticator._verified) == 3
        clock.ahead_s += AuthOptions().access_lifetime_s + 1
        await (await user.refreshed()).call("GetMe")
        assert len(auth.authenticator._verified) == 1


async def test_a_tenant_may_call_as_often_as_its_row_says(auth: Auth, owner: User, database: Database) -> None:
    await owner.call("UpdateTenant", tenant={"default_region": "GB"}, update_mask={"paths": ["default_region"]})
    found = await TenantLimits(database).read(["no-such-tenant", owner.tenant_id])
    assert found == {
        owner.tenant_id: TenantSettings(AuthOptions().tenant_calls_per_minute, "GB"),
        "no-such-tenant": TenantSettings(1),
    }


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.05)


async def test_an_existing_tenant_id_is_not_an_error(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    ids: Iterator[str] = iter(["same-1", "same-1", "same-1", "other-1"])
    monkeypatch.setattr(accounts, "tenant_id_for", lambda _: next(ids))
    assert (await register(auth)).tenant_id == "same-1"
    assert (await register(auth)).tenant_id == "other-1"
    monkeypatch.setattr(accounts, "tenant_id_for", lambda _: "same-1")
    with pytest.raises(UniqueViolation):
        await register(auth)


async def test_missing_records_are_not_found(database: Database) -> None:
    async with database.tenant("nobody") as connection:
        for missing in (store.tenant(connection, "nobody"), store.account(connection, "nobody", "x")):
            assert await reason_of(missing) is Reason.RESOURCE_NOT_FOUND


async def refused_with(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


async def test_over_grpc_login_refresh_and_logout(service: Service) -> None:
    stub = AuthServiceStub(service.channel)
    login = await stub.Login(
        pb.LoginRequest(tenant_id=service.tenant_id, email=EMAIL, password=PASSWORD, device_name="laptop")
    )
    new = await stub.RefreshToken(pb.RefreshTokenRequest(refresh_token=login.tokens.refresh_token))
    metadata = (("authorization", f"Bearer {new.tokens.access_token}"),)
    sessions = await stub.ListSessions(pb.ListSessionsRequest(), metadata=metadata)
    assert {session.device_name for session in sessions.sessions} == {"laptop", ""}
    assert all(session.address == "127.0.0.1" for session in sessions.sessions)
    await stub.Logout(pb.LogoutRequest(), metadata=metadata)
    code, _ = await refused_with(stub.GetMe(pb.GetMeRequest(), metadata=metadata))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    await stub.GetMe(pb.GetMeRequest(), metadata=service.metadata)


async def test_over_grpc_credentials_decide_and_nothing_else_does(service: Service) -> None:
    stub = AuthServiceStub(service.channel)
    other = await stub.Register(pb.RegisterRequest(tenant_display_name="Other", email=EMAIL, password=PASSWORD))
    headers = tuple(
        (name, other.tenant.tenant_id)
        for name in ("x-tenant-id", "tenant-id", "x-bossjy-tenant", "bossjy.tenant_id", "x-user-id")
    )
    me = await stub.GetMe(pb.GetMeRequest(), metadata=service.metadata + headers)
    assert me.tenant.tenant_id == service.tenant_id
    twice = (*service.metadata, ("authorization", f"Bearer {other.tokens.access_token}"))
    for metadata in ((), twice, (("authorization", "Basic abc"),), (("authorization", "Bearer "),), headers):
        code, _ = await refused_with(stub.GetMe(pb.GetMeRequest(), metadata=metadata))
        assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_over_grpc_a_key_with_too_little_scope_is_denied(service: Service) -> None:
    stub = AuthServiceStub(service.channel)
    made = await stub.CreateApiKey(
        pb.CreateApiKeyRequest(display_name="k", scopes=["contacts.read"]), metadata=service.metadata
    )
    metadata = (("authorization", f"Bearer {made.secret}"),)
    await stub.GetMe(pb.GetMeRequest(), metadata=metadata)
    phone = phone_service_pb2_grpc.PhoneServiceStub(service.channel)
    request = phone_service_pb2.ValidateNumberRequest(phone_number="+86 138 0000 0000")
    code, details = await refused_with(phone.ValidateNumber(request, metadata=metadata))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "phone.read" in details
