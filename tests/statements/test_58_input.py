"""Statement 58: no input produces INTERNAL; page tokens are keyed and contain no personal data."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from bossjy.auth.v1 import auth_service_pb2 as auth
from bossjy.contacts.v1 import contact_service_pb2 as contacts
from bossjy.imports.v1 import import_service_pb2 as imports
from bossjy.phone.v1 import phone_service_pb2 as phone
from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import made_server, on_parts
from tests.statements.conftest import Person, Refused, refusal, registered
from tests.statements.test_01_access import METHODS

NUMBERS = [f"+4420794600{number}" for number in range(31, 36)]
# By the name of a method: the time field of its filter.
TIMED = {
    "ListUsers": "create_time",
    "ListAuditEvents": "event_time",
    "ListImports": "create_time",
    "ListContacts": "update_time",
    "GetContactStats": "create_time",
    "ExportContacts": "create_time",
}
EDGES = (
    "0001-01-01T00:00:00+09:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59.999999999Z",
    "10000-01-01T00:00:00Z",
    "0000-01-01",
    "-0044-03-15T00:00:00Z",
    "infinity",
    "-infinity",
    "2016-12-31T23:59:60Z",
    "2026-01-31T24:00:00Z",
)
PAGED = [method for method in METHODS if "page_token" in method.request_class.DESCRIPTOR.fields_by_name]


async def called(person: Person, name: str, **fields: Any) -> Any:
    """The answer of a method of any service: the message, or the last one of a stream. Raises AioRpcError."""
    method = next(one for one in METHODS if one.name == name)
    modules = (auth, contacts, imports, phone)
    answer = next(getattr(one, f"{name}Response") for one in modules if hasattr(one, f"{name}Response"))
    kind = "unary_stream" if method.server_streaming else "unary_unary"
    stub: Any = getattr(person.channel, kind)(method.path, response_deserializer=answer.FromString)
    raw = method.request_class(**fields).SerializeToString()
    running = stub(raw, metadata=(("authorization", f"Bearer {person.access}"),), timeout=20)
    return [one async for one in running][-1:] if method.server_streaming else await running


async def ended(person: Person, name: str, **fields: Any) -> Refused:
    """The outcome of a call."""
    try:
        return Refused("OK", answer=await called(person, name, **fields))
    except grpc.aio.AioRpcError as error:
        return refusal(error)


async def imported(person: Person) -> str:
    """The id of an import with five contacts and three rejects."""
    job = (await called(person, "CreateImport")).import_job.import_id
    data = "phone,name\n" + "".join(f"{number},Ann Smith\n" for number in NUMBERS) + "bad,a\nworse,b\nworst,c\n"
    raw = data.encode()

    async def messages() -> AsyncIterator[imports.UploadRequest]:
        yield imports.UploadRequest(open=imports.UploadOpen(import_id=job))
        yield imports.UploadRequest(chunk=imports.UploadChunk(data=raw))
        yield imports.UploadRequest(finish=imports.UploadFinish(size_bytes=len(raw)))

    upload: Any = person.channel.stream_stream(
        "/bossjy.imports.v1.ImportService/Upload", request_serializer=imports.UploadRequest.SerializeToString
    )
    async for _ in upload(messages(), metadata=(("authorization", f"Bearer {person.access}"),), timeout=20):
        pass
    return str(job)


async def tokens(person: Person, job: str) -> dict[str, tuple[dict[str, Any], str]]:
    """By the name of each list that has a second page: the fields of its request, and the page token."""
    await person.colleague()
    await person.login()
    for name in ("one", "two"):
        await person.call("CreateApiKey", display_name=name, scopes=["phone.read"])
    await called(person, "CreateImport")
    found = {}
    for method in PAGED:
        fields = {"import_id": job} if "import_id" in method.request_class.DESCRIPTOR.fields_by_name else {}
        if token := (await called(person, method.name, page_size=1, **fields)).next_page_token:
            found[method.name] = (fields, token)
    assert len(found) >= 8
    return found


@pytest.mark.statement(58)
async def test_58_times_at_the_edges_of_the_calendar(owner: Person) -> None:
    for name, field in TIMED.items():
        for edge in EDGES:
            for form in (f'{field} > "{edge}"', f"{field} <= {edge}", f"NOT {field} = '{edge}'"):
                answer = await ended(owner, name, filter=form)
                assert answer.code == "OK" or answer.reason == "FILTER_INVALID", (name, form, answer)
    for seconds in (-(2**63), -62135596801, -62135596800, -1, 253402300799, 253402300800, 2**63 - 1):
        for nanos in (-1, 0, 999_999_999, 2**31 - 1):
            time = {"seconds": seconds, "nanos": nanos}
            answer = await ended(owner, "CreateApiKey", display_name="k", scopes=["phone.read"], expire_time=time)
            assert answer.code == "OK" or answer.reason == "INVALID_FIELD", (time, answer)
            if answer.code == "OK":
                assert (await owner.call("IntrospectToken", token=answer.answer.secret)).active


@pytest.mark.statement(58)
async def test_58_page_tokens_that_the_service_did_not_issue(nobody: Person, owner: Person) -> None:
    job = await imported(owner)
    real = await tokens(owner, job)
    other = await registered(nobody, "Other")
    # As made by a release whose tokens had no key.
    unkeyed = []
    listings = [
        ["imports", owner.tenant_id, ""],
        ["contacts", owner.tenant_id, "", ""],
        ["conflicts", owner.tenant_id, job],
    ]
    for listing in [*listings, ["rejects", owner.tenant_id, job, 0]]:
        for cursor in ('["a","b"]', "12", "null", "[9223372036854775808,1]", '[""]', "{}"):
            packed = json.dumps(listing, separators=(",", ":")) + cursor
            check = hashlib.blake2b(packed.encode(), digest_size=8, person=b"bossjy-page").digest()
            unkeyed.append(base64.urlsafe_b64encode(check + cursor.encode()).rstrip(b"=").decode())
    for name, (fields, token) in real.items():
        assert (await ended(owner, name, page_token=token, **fields)).code == "OK"
        foreign = [one for at, (_, one) in real.items() if at != name]
        changed = [token[:-1], token[1:], token + "A", "B" + token[1:], token.swapcase(), token * 3]
        for wrong in (*unkeyed, *foreign, *changed, "7", "é", "x" * 100_000):
            answer = await ended(owner, name, page_token=wrong, **fields)
            assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"), (
                name,
                wrong[:80],
                answer,
            )
        answer = await ended(other, name, page_token=token, **fields)
        assert answer.reason in {"PAGE_TOKEN_INVALID", "RESOURCE_NOT_FOUND"}, (name, answer)


@pytest.mark.statement(58)
async def test_58_a_page_token_contains_nothing_of_a_person(owner: Person) -> None:
    real = await tokens(owner, await imported(owner))
    assert "ListContacts" in real
    secrets = [*NUMBERS, "2079460", "Ann Smith", owner.email, owner.user_id, owner.tenant_id, owner.session_id]
    for name, (_, token) in real.items():
        readable = token.encode() + base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for secret in secrets:
            assert secret.encode() not in readable, name
        assert len(token) <= 512


@pytest.mark.statement(58)
async def test_58_a_page_token_is_valid_on_each_worker_and_after_a_restart(
    parts: EmbeddedParts, database_url: str, tmp_path: Path
) -> None:
    server = made_server(tmp_path, **on_parts(database_url, parts.redis_url), BOSSJY_WORKERS="2")
    request: dict[str, Any] = {"filter": "Ann", "page_size": 2}
    try:
        server.start()
        async with grpc.aio.insecure_channel(server.target) as channel:
            owner = await registered(Person(channel))
            await imported(owner)
            token = (await called(owner, "ListContacts", **request)).next_page_token
            assert token
        for _ in range(2):
            for _ in range(6):  # each connection can reach another worker
                options = [("grpc.use_local_subchannel_pool", 1)]
                async with grpc.aio.insecure_channel(server.target, options=options) as channel:
                    again = replace(owner, channel=channel)
                    page = await called(again, "ListContacts", page_token=token, **request)
                    assert [one.phone_number for one in page.contacts] == NUMBERS[2:4]
            assert server.terminate() == 0
            server.start()
    finally:
        server.end()
