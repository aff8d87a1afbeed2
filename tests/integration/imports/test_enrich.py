"""Carrier and place of imported numbers, if they are requested."""

from __future__ import annotations

import phonenumbers
from phonenumbers import carrier, geocoder

from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import Imports

# Two carriers of China, a landline of Peking, one of London, and a rejected row between them.
FILE = b"phone,name\n13800138000,a\n13012345678,b\n1.38E+10,x\n010 6552 9988,c\n+44 20 7946 0018,d\n"
MOBILE, UNICOM, PEKING, LONDON = "+8613800138000", "+8613012345678", "+861065529988", "+442079460018"


def told(number: str, language: str) -> tuple[str, str]:
    """libphonenumber's carrier and place of the number."""
    parsed = phonenumbers.parse(number)
    return carrier.name_for_number(parsed, language), geocoder.description_for_number(parsed, language)


async def labels(imports: Imports, condition: str = "") -> dict[str, tuple[str, str]]:
    answer = await imports.contacts.ListContacts(contacts_pb.ListContactsRequest(filter=condition))
    return {one.phone_number: (one.carrier, one.place) for one in answer.contacts}


async def test_carrier_and_place_are_kept_and_found(imports: Imports) -> None:
    job = await imports.run(FILE, enrich=True)
    assert (job.counts.inserted, job.counts.rejected) == (4, 1)
    found = await labels(imports)
    assert found == {number: told(number, "en") for number in (MOBILE, UNICOM, PEKING, LONDON)}
    assert found[MOBILE] == ("China Mobile", "Beijing")
    assert list(await labels(imports, 'carrier = "China Mobile"')) == [MOBILE]
    assert set(await labels(imports, 'place = "Beijing"')) == {MOBILE, PEKING}


async def test_the_language_is_that_of_the_import(imports: Imports) -> None:
    await imports.run(FILE, enrich=True, language="zh")
    found = await labels(imports)
    assert found == {number: told(number, "zh") for number in (MOBILE, UNICOM, PEKING, LONDON)}
    assert found[MOBILE][0] == "中国移动"


async def test_nothing_is_kept_where_it_was_not_asked_for_and_nothing_lost(imports: Imports) -> None:
    await imports.run(FILE)
    assert set((await labels(imports)).values()) == {("", "")}
    again = await imports.run(FILE, enrich=True)
    assert again.counts.updated == 4
    enriched = await labels(imports)
    assert enriched[MOBILE] == ("China Mobile", "Beijing")
    third = await imports.run(FILE)
    assert third.counts.unchanged == 4
    assert await labels(imports) == enriched
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=again.import_id))
    assert set((await labels(imports)).values()) == {("", "")}


async def test_the_last_row_wins_with_its_labels(imports: Imports) -> None:
    await imports.run(FILE, enrich=True, language="zh")
    file = b"phone,name\n13800138000,a\n13800138000,z\n"
    for block in (1, 1_000_000):
        job = await imports.create(enrich=True, duplicate_policy=2)
        await imports.upload(job.import_id, file, chunk=block)
    assert (await labels(imports))[MOBILE] == ("China Mobile", "Beijing")
