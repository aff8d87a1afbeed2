"""Audit events of refusals and ended credentials; a flood of refusals does not fill the log."""

from __future__ import annotations

import pyotp

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from bossjy.imports.v1 import import_service_pb2
from bossjy.imports.v1.import_service_pb2_grpc import ImportServiceStub
from bossjy_server.auth.audit.once_per import OncePer
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import PASSWORD, Clock, Opened, User, reason_of, register
from tests.service import Service


async def refusals(owner: User) -> list[tuple[str, str, str]]:
    events = (await owner.call("ListAuditEvents", filter='outcome != "OK"')).events
    return [(one.action, one.resource, one.outcome) for one in events]


async def test_a_wrong_code_is_recorded_and_a_missing_one_is_not(owner: User, clock: Clock) -> None:
    begun = await owner.call("BeginSecondFactor", password=PASSWORD)
    totp = pyotp.TOTP(begun.secret)
    await owner.call("ConfirmSecondFactor", totp_code=totp.at(int(clock())))
    assert await reason_of(owner.login()) is Reason.SECOND_FACTOR_REQUIRED
    assert await refusals(owner) == []
    assert await reason_of(owner.login(totp_code="aaaa-aaaa-aaaa-aaaa")) is Reason.LOGIN_REFUSED
    assert await refusals(owner) == [("auth.use_second_factor", owner.user_id, "UNAUTHENTICATED")]
    clock.ahead_s += 30
    await owner.login(totp_code=totp.at(int(clock())))
    assert len(await refusals(owner)) == 1


async def test_throttled_logins_are_recorded_once_a_minute_by_tenant(opened: Opened) -> None:
    async with opened(account_failures=1) as auth:
        owner, other = await register(auth), await register(auth, "Other")
        assert await reason_of(owner.login(password="a wrong password")) is Reason.LOGIN_REFUSED
        for _ in range(3):
            assert await reason_of(owner.login()) is Reason.LOGIN_THROTTLED
        assert await refusals(owner) == [
            ("auth.throttle_login", "", "RESOURCE_EXHAUSTED"),
            ("auth.login", "", "UNAUTHENTICATED"),
        ]
        assert await refusals(other) == []


async def test_a_refresh_token_that_is_used_again_is_recorded(owner: User, clock: Clock) -> None:
    session = await owner.login()
    await session.refreshed()
    clock.ahead_s += 11
    assert await reason_of(session.refreshed()) is Reason.REFRESH_TOKEN_REUSED
    assert await refusals(owner) == [("auth.reuse_refresh_token", session.session_id, "UNAUTHENTICATED")]


async def test_a_cancelled_import_is_recorded_once(service: Service) -> None:
    imports = ImportServiceStub(service.channel)
    made = await imports.CreateImport(import_service_pb2.CreateImportRequest(), metadata=service.metadata)
    import_id = made.import_job.import_id
    for _ in range(2):
        cancel = import_service_pb2.CancelImportRequest(import_id=import_id)
        await imports.CancelImport(cancel, metadata=service.metadata)
    asked = pb.ListAuditEventsRequest(filter='action = "imports.cancel"')
    events = (await AuthServiceStub(service.channel).ListAuditEvents(asked, metadata=service.metadata)).events
    assert [one.resource for one in events] == [import_id]
    assert events[0].actor


def test_seldom_lets_one_through_and_is_bounded() -> None:
    now = 100.0
    once_per = OncePer(every_s=60, names_max=2, clock=lambda: now)
    assert [once_per.due(name) for name in ("a", "a", "b", "c")] == [True, False, True, False]
    now += 60
    assert [once_per.due(name) for name in ("c", "a", "a")] == [True, True, False]
