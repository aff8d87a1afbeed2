"""Statement 32: no method that takes an id finds a resource of another tenant.

The methods come from the contracts' descriptors, so a new method or a new id field is tested like all others. If an id
is of a new kind, the test fails until the kind is declared here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from bossjy.auth.v1 import account_pb2
from bossjy.contacts.v1 import contact_service_pb2 as contacts
from bossjy.imports.v1 import import_service_pb2 as imports
from bossjy_server.rpc.method import Method
from tests.statements.conftest import Person, registered
from tests.statements.test_01_access import METHODS, raw_call

# Fields through which a caller could reach nothing, each with the reason.
NO_REACH = {
    ("Login", "tenant_id"): "nobody has a tenant yet: the caller of a login names the tenant",
    ("UpdateTenant", "tenant.tenant_id"): "the contract ignores it; tested below",
    ("PreviewImport", "spec.parent_import_id"): "a preview reads only its sample and looks nothing up",
    **dict.fromkeys(
        ((name, "request_id") for name in ("CreateApiKey", "CreateUser", "CreateImport", "EraseContacts")),
        "the caller's own name for a call; tested below",
    ),
}


def ids_of(method: Method) -> list[str]:
    """The paths of the fields of its request that take an id."""
    return list(_ids_in(cast("Descriptor", method.request_class.DESCRIPTOR)))


def _ids_in(message: Descriptor, before: str = "", inside: tuple[Descriptor, ...] = ()) -> Iterator[str]:
    """The paths of a request's fields that end in `id` or `ids`, also in nested messages."""
    for field in message.fields:
        path = before + field.name
        if field.name.split("_")[-1] in {"id", "ids"}:
            yield path
        elif field.message_type is not None and field.message_type not in (*inside, message):
            yield from _ids_in(field.message_type, f"{path}.", (*inside, message))


ASKED = [(method, path) for method in METHODS for path in ids_of(method) if (method.name, path) not in NO_REACH]


def request_with(method: Method, path: str, value: str) -> bytes:
    """A request whose field at `path` is `value`, in wire format; all else is empty, except the fields to change."""
    request = method.request_class()
    *parents, name = path.split(".")
    holder: Message = request
    for parent in parents:
        holder = getattr(holder, parent)
    repeated = holder.DESCRIPTOR.fields_by_name[name].is_repeated
    if repeated:
        getattr(holder, name).append(value)
    else:
        setattr(holder, name, value)
    if method.name == "UpdateUser":
        holder.display_name = "Taken over"  # type: ignore[attr-defined] # it changes non-empty fields
    return request.SerializeToString()


async def of_service(person: Person, name: str, request: Message) -> Any:
    """The answer of a method of any service, by its name. Raises AioRpcError."""
    method = next(one for one in METHODS if one.name == name)
    answer = {"EraseContacts": contacts.EraseContactsResponse}.get(name) or getattr(imports, f"{name}Response")
    stub: Any = person.channel.unary_unary(
        method.path, request_serializer=type(request).SerializeToString, response_deserializer=answer.FromString
    )
    return await stub(request, metadata=(("authorization", f"Bearer {person.access}"),), timeout=20)


async def of_another_tenant(other: Person) -> dict[str, str]:
    """One resource of each kind that has an id, by the name of the field that takes it."""
    made = await of_service(other, "CreateImport", imports.CreateImportRequest())
    key = await other.call("CreateApiKey", display_name="k", scopes=["phone.read"])
    return {
        "user_id": (await other.colleague()).user_id,
        "session_id": (await other.login()).session_id,
        "api_key_id": key.api_key.api_key_id,
        "import_id": made.import_job.import_id,
        "parent_import_id": made.import_job.import_id,
    }


async def state_of(other: Person, ids: dict[str, str]) -> list[Any]:
    """The state of another tenant that a change would show in."""
    job = await of_service(other, "GetImport", imports.GetImportRequest(import_id=ids["import_id"]))
    user = (await other.call("GetUser", user_id=ids["user_id"])).user
    return [
        job.import_job,
        user,
        (await other.call("GetTenant")).tenant,
        [one.session_id for one in (await other.call("ListSessions")).sessions],
        [one.api_key_id for one in (await other.call("ListApiKeys")).api_keys],
    ]


def test_32_every_exception_exists() -> None:
    """An exception for a deleted field must be removed here as well."""
    there = {(method.name, path) for method in METHODS for path in ids_of(method)}
    assert set(NO_REACH) <= there
    assert len(ASKED) >= 17


@pytest.mark.statement(32)
async def test_32_resources_of_another_tenant_are_not_found(nobody: Person, owner: Person) -> None:
    other = await registered(nobody, "Other")
    ids = await of_another_tenant(other)
    before = await state_of(other, ids)
    for method, path in ASKED:
        raw = request_with(method, path, ids[path.split(".")[-1]])
        ended = await raw_call(owner, method, raw, token=owner.access)
        assert (ended.code, ended.reason) == ("NOT_FOUND", "RESOURCE_NOT_FOUND"), (method.path, path, ended)
    # A change of one's own tenant under another's id changes one's own.
    tenant = account_pb2.Tenant(tenant_id=other.tenant_id, display_name="Taken over")
    assert (await owner.call("UpdateTenant", tenant=tenant)).tenant.tenant_id == owner.tenant_id
    assert await state_of(other, ids) == before
    # The ids are right: the same requests find their resources in the owning tenant.
    await of_service(other, "CancelImport", imports.CancelImportRequest(import_id=ids["import_id"]))
    # A deleted user is found no longer: that is the last request.
    for method, path in sorted(ASKED, key=lambda one: one[0].name == "DeleteUser"):
        raw = request_with(method, path, ids[path.split(".")[-1]])
        assert (await raw_call(other, method, raw, token=other.access)).code != "NOT_FOUND", (method.path, path)


@pytest.mark.statement(32)
async def test_32_a_request_id_of_another_tenant_repeats_nothing(nobody: Person, owner: Person) -> None:
    other = await registered(nobody, "Other")

    async def made_by(person: Person) -> list[str]:
        user = await person.call("CreateUser", email="same@example.com", role=account_pb2.ROLE_MEMBER, request_id="r1")
        key = await person.call("CreateApiKey", display_name="k", scopes=["phone.read"], request_id="r1")
        job = await of_service(person, "CreateImport", imports.CreateImportRequest(request_id="r1"))
        erase = contacts.EraseContactsRequest(phone_numbers=["+4915123456789"], purpose="asked", request_id="r1")
        erased = await of_service(person, "EraseContacts", erase)
        return [user.user.user_id, key.api_key.api_key_id, job.import_job.import_id, erased.erasure_id]

    first = await made_by(other)
    assert all(first)
    assert set(first).isdisjoint(await made_by(owner))
    # Within a tenant it does repeat: the other tenant must not reach this.
    assert await made_by(other) == first
