"""Contacts that an import changed: each field before and after, independent of earlier and later imports."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import NotFound
from tests.integration.imports.conftest import Imports
from tests.integration.imports.test_order import (
    FILL,
    FIRST,
    HEADER,
    OVERWRITE,
    SKIP,
    Fields,
    contacts,
    random_rows,
    text,
)

NUMBER = "+12025550123"


async def changed(imports: Imports, import_id: str, page_size: int = 1000) -> list[import_pb2.ChangedContact]:
    found: list[import_pb2.ChangedContact] = []
    token = ""
    while True:
        request = pb.ListChangedContactsRequest(import_id=import_id, page_size=page_size, page_token=token)
        answer = await imports.servicer.ListChangedContacts(request)
        found += answer.contacts
        token = answer.next_page_token
        if not token:
            return found


def told(contact: import_pb2.ChangedContact) -> dict[str, tuple[str, str]]:
    return {one.field: (one.former_value, one.new_value) for one in contact.changes}


async def test_each_changed_field_is_listed_with_both_values(imports: Imports) -> None:
    await imports.run(f"phone,phone2,name,city\n{NUMBER},,Ann,Rome\n+12025550199,,Bob,Oslo\n".encode())
    second = await imports.run(
        f"phone,phone2,name,email,city,zip\n+12025550199,,Bob,,Oslo,\n"
        f"{NUMBER} x5,+12025550188 x6,Anna,a@example.com,Bern,1\n+12025550177,,New,,,\n".encode()
    )
    (one,) = await changed(imports, second.import_id)
    assert (one.phone_number, one.part, one.line) == (NUMBER, 0, 3)
    assert one.byte_offset == len("phone,phone2,name,email,city,zip\n+12025550199,,Bob,,Oslo,\n")
    assert told(one) == {
        "name": ("Ann", "Anna"),
        "email": ("", "a@example.com"),
        "extension": ("", "5"),
        "other_numbers": ("", "+12025550188;ext=6"),
        "attributes.city": ("Rome", "Bern"),
        "attributes.zip": ("", "1"),
    }
    # Changes by a later import, and its reversal, do not change the list.
    third = await imports.run(f"phone,name\n{NUMBER},Anne\n".encode())
    assert [told(one) for one in await changed(imports, third.import_id)] == [{"name": ("Anna", "Anne")}]
    assert told((await changed(imports, second.import_id))[0])["name"] == ("Ann", "Anna")
    with pytest.raises(NotFound):
        await changed(imports, "imp_none")


@pytest.mark.parametrize("existing", [SKIP, FILL, OVERWRITE])
async def test_changes_are_what_the_import_did(make_imports: Callable[..., Imports], existing: int) -> None:
    rng = random.Random(existing)
    imports = make_imports(block_bytes=150, flush_s=0.01)
    jobs: list[tuple[str, dict[str, Fields], dict[str, Fields]]] = []
    for _ in range(4):
        before = await contacts(imports)
        job = await imports.run(HEADER.encode() + text(random_rows(rng, 30)), chunk=120, existing_policy=existing)
        jobs.append((job.import_id, before, await contacts(imports)))
        listed = await changed(imports, job.import_id, page_size=3)
        assert len(listed) == job.counts.updated
    for import_id, before, after in jobs:
        wanted = {number: (before[number], after[number]) for number in before if before[number] != after[number]}
        listed = await changed(imports, import_id)
        assert {one.phone_number: differing(told(one)) for one in listed} == {
            number: differing(pairs(*both)) for number, both in wanted.items()
        }


def pairs(before: Fields, after: Fields) -> dict[str, tuple[str, str]]:
    names = {"a": "attributes.a", "b": "attributes.b"}
    return {names.get(key, key): (before.get(key, ""), after.get(key, "")) for key in {**before, **after}}


def differing(values: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {key: (old, new) for key, (old, new) in values.items() if old != new}


async def test_changes_follow_the_reversal_of_an_earlier_import(imports: Imports) -> None:
    first = await imports.run(f"phone,name\n{NUMBER},Ann\n".encode())
    second = await imports.run(f"phone,name,email\n{NUMBER},Anna,a@example.com\n".encode())
    third = await imports.run(f"phone,name,email\n{NUMBER},Anne,b@example.com\n".encode(), duplicate_policy=FIRST)
    fourth = await imports.run(f"phone,name\n{NUMBER},Last\n".encode())
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=second.import_id))
    assert [told(one) for one in await changed(imports, third.import_id)] == [
        {"name": ("Ann", "Anne"), "email": ("", "b@example.com")}
    ]
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=first.import_id))
    assert await changed(imports, third.import_id) == []
    assert [told(one) for one in await changed(imports, fourth.import_id)] == [{"name": ("Anne", "Last")}]
