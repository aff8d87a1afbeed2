"""Audit log: its contents, its readers, and protection from changes."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from bossjy.contacts.v1 import contact_service_pb2
from bossjy.contacts.v1.contact_service_pb2_grpc import ContactServiceStub
from bossjy.imports.v1 import import_service_pb2
from bossjy.imports.v1.import_service_pb2_grpc import ImportServiceStub
from bossjy_server.errors import Reason
from bossjy_server.storage.audit import network_of
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import EMAIL, PASSWORD, User, reason_of, register
from tests.service import Service


async def actions(owner: User, **fields: object) -> list[str]:
    return [event.action for event in (await owner.call("ListAuditEvents", **fields)).events]


async def test_acts_are_recorded_with_only_ids(owner: User, database_url: str) -> None:
    member = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
    key = (await owner.call("CreateApiKey", display_name="k", scopes=["audit.read"])).secret
    assert await reason_of(owner.login(password="a wrong password")) is Reason.LOGIN_REFUSED
    await owner.call("DisableUser", user_id=member.user_id)
    events = (await replace(owner, credential=key).call("ListAuditEvents")).events
    assert [event.action for event in events] == [
        "auth.disable_user",
        "auth.login",
        "auth.create_api_key",
        "auth.change_password",
        "auth.login",
        "auth.create_user",
        "auth.register",
    ]
    disabled, refused = events[0], events[1]
    assert (disabled.actor, disabled.resource, disabled.outcome) == (owner.user_id, member.user_id, "OK")
    assert (disabled.address, disabled.request_id) == ("10.0.0.0/24", "request")
    assert (refused.actor, refused.outcome) == ("", "UNAUTHENTICATED")
    admin = await asyncpg.connect(database_url)
    try:
        rows = str(await admin.fetch("SELECT * FROM bossjy.audit_events"))
    finally:
        await admin.close()
    for secret in (EMAIL, "bob@example.com", PASSWORD, "10.0.0.1'", key):
        assert secret not in rows


async def test_pages_and_filters(owner: User) -> None:
    for _ in range(3):
        await owner.login()
    first = await owner.call("ListAuditEvents", page_size=2)
    second = await owner.call("ListAuditEvents", page_size=2, page_token=first.next_page_token)
    ids = [event.event_id for event in (*first.events, *second.events)]
    assert len(set(ids)) == 4
    assert ids == sorted(ids, reverse=True)
    assert not second.next_page_token
    assert await actions(owner, filter='action = "auth.register"') == ["auth.register"]
    chosen = f'actor = "{owner.user_id}" AND outcome = "OK" AND event_time >= "2020-01-01T00:00:00Z"'
    assert len(await actions(owner, filter=chosen)) == 4
    assert await actions(owner, filter='event_time < "2020-01-01"') == []
    token = first.next_page_token
    assert await reason_of(owner.call("ListAuditEvents", page_token=token, filter=chosen)) is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize(
    "text",
    [
        "action",
        'address = "x"',
        'action > "a"',
        'event_time = "soon"',
        'action = "a" OR',
        " AND ".join(['action = "a"'] * 51),
    ],
)
async def test_a_filter_that_cannot_be_read_says_where(owner: User, text: str) -> None:
    assert await reason_of(owner.call("ListAuditEvents", filter=text)) is Reason.FILTER_INVALID


async def test_another_tenant_sees_nothing_of_it(owner: User) -> None:
    other = await register(owner.auth, "Other")
    await owner.login()
    assert await actions(other) == ["auth.register"]


async def test_rolled_back_changes_are_not_recorded(owner: User) -> None:
    assert await reason_of(owner.call("CreateUser", email=EMAIL, role=2)) is Reason.USER_EXISTS
    assert await actions(owner) == ["auth.register"]


@pytest.mark.parametrize(
    "command",
    ["UPDATE bossjy.audit_events SET action = 'x'", "DELETE FROM bossjy.audit_events", "TRUNCATE bossjy.audit_events"],
)
async def test_the_service_may_not_change_it(owner: User, database: Database, command: str) -> None:
    async with database.tenant(owner.tenant_id) as connection:
        await connection.execute("SAVEPOINT before")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(command)
        await connection.execute("ROLLBACK TO SAVEPOINT before")
        assert await connection.fetchval("SELECT count(*) FROM bossjy.audit_events") == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_of_an_address_its_network_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_other_features_write_to_it(service: Service) -> None:
    imports = ImportServiceStub(service.channel)
    made = await imports.CreateImport(import_service_pb2.CreateImportRequest(), metadata=service.metadata)
    erase = contact_service_pb2.EraseContactsRequest(phone_numbers=["+4915123456789"], purpose="asked by letter")
    await ContactServiceStub(service.channel).EraseContacts(erase, metadata=service.metadata)
    auth = AuthServiceStub(service.channel)
    events = (await auth.ListAuditEvents(pb.ListAuditEventsRequest(), metadata=service.metadata)).events
    assert [event.action for event in events] == ["contacts.erase", "imports.create", "auth.register"]
    assert events[1].resource == made.import_job.import_id
    assert "4915123456789" not in str(events)
