"""Statements 1 to 5 and 33: access to methods."""

from __future__ import annotations

from typing import Any

import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from bossjy_server.errors import StartError
from bossjy_server.rpc.method import Method, methods_of
from bossjy_server.rpc.server import Router
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE
from tests.statements.conftest import Person, Refused, refusal, registered
from tests.stream_status import stream_status

METHODS = [method for service in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(service)]


async def raw_call(person: Person, method: Method, raw: bytes = b"", *, token: str = "", entries: int = 1) -> Refused:
    """Call any method with one message in wire format."""
    metadata = (("authorization", f"Bearer {token}"),) * entries if token else ()
    if method.client_streaming:
        ended = await stream_status(person.target, method.path, [raw], metadata, timeout_s=20)
        return refusal(ended.error) if ended.error else Refused("OK")
    call: Any = getattr(person.channel, "unary_stream" if method.server_streaming else "unary_unary")(method.path)
    try:
        running = call(raw, metadata=metadata, timeout=20)
        if method.server_streaming:
            async for _ in running:
                pass
        else:
            await running
    except grpc.aio.AioRpcError as error:
        return refusal(error)
    return Refused("OK")


@pytest.mark.statement(1)
async def test_01_every_method_needs_a_token_unless_its_contract_says_public(nobody: Person) -> None:
    asked = 0
    for method in METHODS:
        ended = await raw_call(nobody, method)
        if method.access.public:
            assert ended.reason != "CREDENTIALS_MISSING", method.path
        else:
            asked += 1
            assert (ended.code, ended.reason) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING"), method.path
    assert asked > 30


@pytest.mark.statement(1)
def test_01_a_method_without_an_access_rule_is_not_served() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="bare.proto", package="bare", syntax="proto3")
    file.message_type.add(name="Empty")
    file.service.add(name="BareService").method.add(name="Do", input_type=".bare.Empty", output_type=".bare.Empty")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    with pytest.raises(StartError, match="states no access rule"):
        Router([]).add_service(pool.FindServiceByName("bare.BareService"), object())


@pytest.mark.statement(2)
@pytest.mark.parametrize("path", ["/bossjy.auth.v1.AuthService/Nothing", "/nobody.Knows/It", "/x/y"])
async def test_02_an_unknown_method_has_one_answer(nobody: Person, owner: Person, path: str) -> None:
    for metadata in ((), (("authorization", f"Bearer {owner.access}"),)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            unknown: Any = nobody.channel.unary_unary(path)
            await unknown(b"", metadata=metadata, timeout=20)
        ended = refusal(caught.value)
        assert (ended.code, ended.reason) == ("UNIMPLEMENTED", "UNKNOWN_METHOD")


@pytest.mark.statement(3)
async def test_03_streams_are_checked_as_unary_calls_are(owner: Person) -> None:
    streams = [m for m in METHODS if m.client_streaming or m.server_streaming]
    assert streams
    made = await owner.call("CreateApiKey", display_name="audit alone", scopes=["audit.read"])
    for method in streams:
        for token, code in (("", "UNAUTHENTICATED"), ("forged", "UNAUTHENTICATED"), (made.secret, "PERMISSION_DENIED")):
            assert (await raw_call(owner, method, token=token)).code == code, (method.path, token)


@pytest.mark.statement(4)
async def test_04_a_second_authorization_entry_is_refused(owner: Person) -> None:
    for method in METHODS:
        if not method.access.public:
            ended = await raw_call(owner, method, token=owner.access, entries=2)
            assert (ended.code, ended.reason) == ("UNAUTHENTICATED", "CREDENTIALS_AMBIGUOUS"), method.path


@pytest.mark.statement(5)
async def test_05_too_little_scope_is_permission_denied(owner: Person) -> None:
    for scope in ("phone.read", "audit.read"):
        made = await owner.call("CreateApiKey", display_name=scope, scopes=[scope])
        for method in METHODS:
            if method.access.scope and method.access.scope != scope:
                ended = await raw_call(owner, method, token=made.secret)
                assert (ended.code, ended.reason) == ("PERMISSION_DENIED", "SCOPE_MISSING"), method.path


@pytest.mark.statement(5)
async def test_05_a_member_administers_nothing(owner: Person) -> None:
    member = await owner.colleague()
    administering = ("ListUsers", "CreateApiKey", "ListApiKeys", "GetTenant", "UpdateTenant", "ListAuditEvents")
    for method in administering:
        assert (await member.outcome(method)).code == "PERMISSION_DENIED", method


@pytest.mark.statement(33)
async def test_33_headers_that_name_a_tenant_or_user_are_ignored(nobody: Person, owner: Person) -> None:
    other = await registered(nobody, "Other")
    names = ("x-tenant-id", "tenant_id", "x-user-id", "x-forwarded-user", "x-role", "x-scopes", "bossjy-tenant")
    claims = tuple((name, other.tenant_id) for name in names)
    me = await owner.call("GetMe", claims)
    assert (me.tenant.tenant_id, me.user.user_id) == (owner.tenant_id, owner.user_id)
    assert (await nobody.outcome("GetMe", claims)).reason == "CREDENTIALS_MISSING"
