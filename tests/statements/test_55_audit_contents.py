"""Statement 55: exports, deletions, refused scopes, operator commands, and the roles of a change are audited."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from bossjy.auth.v1 import account_pb2
from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.contacts.v1.contact_service_pb2_grpc import ContactServiceStub
from bossjy.imports.v1 import import_service_pb2 as imports_pb
from bossjy.imports.v1.import_service_pb2_grpc import ImportServiceStub
from tests.statements.conftest import Person, Served

NUMBERS = ("+442079460021", "+442079460022")
WAIT_S = 30.0


def bearer(person: Person) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {person.access}"),)


async def events(person: Person, action: str) -> list[account_pb2.AuditEvent]:
    answer = await person.call("ListAuditEvents", filter=f'action = "{action}"', page_size=500)
    return list(answer.events)


async def imported(owner: Person) -> str:
    """An import of two contacts and a reject."""
    stub = ImportServiceStub(owner.channel)
    created = await stub.CreateImport(imports_pb.CreateImportRequest(), metadata=bearer(owner))
    data = "\n".join(["phone,name", *(f"{number},a" for number in NUMBERS), "none,b", ""]).encode()

    async def messages() -> Any:
        yield imports_pb.UploadRequest(open=imports_pb.UploadOpen(import_id=created.import_job.import_id))
        yield imports_pb.UploadRequest(chunk=imports_pb.UploadChunk(offset=0, data=data))
        yield imports_pb.UploadRequest(finish=imports_pb.UploadFinish(size_bytes=len(data)))

    async for _ in stub.Upload(messages(), metadata=bearer(owner), timeout=60):
        pass
    import_id: str = created.import_job.import_id
    return import_id


@pytest.mark.statement(55)
async def test_55_exports_and_deletions_are_audited(owner: Person) -> None:
    import_id = await imported(owner)
    stub = ContactServiceStub(owner.channel)
    how: dict[str, Any] = {"metadata": bearer(owner), "timeout": 30}
    async for _ in stub.ExportContacts(contacts_pb.ExportContactsRequest(), **how):
        pass
    # A caller who reads only the first piece has exported as well.
    async for _ in stub.ExportContacts(contacts_pb.ExportContactsRequest(filter='region = "GB"'), **how):
        break
    await stub.DeleteContact(contacts_pb.DeleteContactRequest(phone_number=NUMBERS[0]), **how)
    gone = contacts_pb.DeleteContactRequest(phone_number=NUMBERS[0], allow_missing=True)
    await stub.DeleteContact(gone, **how)
    await stub.EraseContacts(contacts_pb.EraseContactsRequest(phone_numbers=NUMBERS[1:], purpose="asked"), **how)
    rejects = ImportServiceStub(owner.channel).ExportRejectedRows(
        imports_pb.ExportRejectedRowsRequest(import_id=import_id), **how
    )
    async for _ in rejects:
        pass
    duplicates = ImportServiceStub(owner.channel).ExportDuplicateRows(
        imports_pb.ExportDuplicateRowsRequest(import_id=import_id), **how
    )
    async for _ in duplicates:
        pass
    assert [event.detail for event in await events(owner, "contacts.export")] == ["filtered", "all"]
    (deleted,) = await events(owner, "contacts.delete")
    (erased,) = await events(owner, "contacts.erase")
    (rows,) = await events(owner, "imports.export_rejects")
    (others,) = await events(owner, "imports.export_duplicates")
    assert (rows.resource, others.resource) == (import_id, import_id)
    for event in (deleted, erased, rows, others):
        assert (event.actor, event.outcome, event.address) == (owner.user_id, "OK", "127.0.0.0/24")
    assert deleted.resource
    everything = str((await owner.call("ListAuditEvents", page_size=500)).events)
    assert not any(number[1:] in everything for number in NUMBERS)


@pytest.mark.statement(55)
async def test_55_refused_scopes_are_audited_and_cannot_flood_the_log(owner: Person) -> None:
    member = await owner.colleague()
    secret = (await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])).secret
    key = replace(owner, access=secret)
    for person in (member, key):
        for _ in range(30):
            assert (await person.outcome("ListUsers")).reason == "SCOPE_MISSING"
        assert (await person.outcome("ListAuditEvents")).reason == "SCOPE_MISSING"
    # A refusal that the method itself decides.
    assert (await key.outcome("UpdateMe", display_name="x")).reason == "SCOPE_MISSING"
    found = await events(owner, "auth.refuse_scope")
    assert sorted(event.detail for event in found) == [
        "audit.read",
        "audit.read",
        "session",
        "users.read",
        "users.read",
    ]
    assert {event.outcome for event in found} == {"PERMISSION_DENIED"}
    assert member.user_id in {event.actor for event in found}
    assert len({event.actor for event in found}) == 2


@pytest.mark.statement(55)
async def test_55_a_change_of_role_says_old_and_new(owner: Person) -> None:
    member = await owner.colleague()
    for role in (account_pb2.ROLE_ADMIN, account_pb2.ROLE_OWNER, account_pb2.ROLE_MEMBER):
        await owner.call("UpdateUser", user=account_pb2.User(user_id=member.user_id, role=role))
    found = await events(owner, "auth.change_role")
    assert [event.detail for event in found] == ["owner -> member", "admin -> owner", "member -> admin"]
    assert {event.resource for event in found} == {member.user_id}


@pytest.mark.statement(55)
@pytest.mark.timeout(240)
async def test_55_operator_commands_are_audited(owner: Person, served: Served) -> None:
    def command(*words: str) -> str:
        line = [sys.executable, "-m", "bossjy_server.cli", *words]
        done = subprocess.run(
            line, env=served.process.environment, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def run(*words: str) -> str:
        return await asyncio.to_thread(command, *words)

    made = await run("owner", "create", "--tenant", owner.tenant_id, "--email", "second@example.com", "--generate")
    kid = (await run("keys", "rotate")).split()[1].rstrip(":")
    service = await owner.call("CreateUser", email="robot@example.com", role=account_pb2.ROLE_SERVICE)
    name = f"spiffe://{owner.tenant_id}/robot"
    user_id = service.user.user_id
    words = ("--tenant", owner.tenant_id, "--user", user_id, "--scopes", "phone.read", "--certificate", name)
    await run("services", "bind", *words)
    await run("services", "unbind", "--certificate", name)
    for action in ("auth.create_owner", "auth.rotate_keys", "auth.bind_certificate", "auth.unbind_certificate"):
        found = await eventually(owner, action)
        assert {event.actor for event in found} == {"operator"}, action
    assert made.split()[3] in {event.resource for event in await events(owner, "auth.create_owner")}
    assert kid in {event.resource for event in await events(owner, "auth.rotate_keys")}


async def eventually(person: Person, action: str) -> list[account_pb2.AuditEvent]:
    """The events found, once there are any."""
    deadline = time.monotonic() + WAIT_S
    while not (found := await events(person, action)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return found
