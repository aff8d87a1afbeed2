"""Extensions of numbers: kept with the contact and with additional numbers, filtered, exported, reverted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bossjy.contacts.v1 import contact_pb2
from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, make_tenant
from tests.integration.imports.test_order import FILL, OVERWRITE, SKIP

NUMBER, OTHER = "+12025550123", "+12025550199"


async def listed(imports: Imports, filter_text: str = "") -> list[contact_pb2.Contact]:
    request = contacts_pb.ListContactsRequest(filter=filter_text)
    return list((await imports.contacts.ListContacts(request)).contacts)


async def contact(imports: Imports, number: str = NUMBER) -> contact_pb2.Contact:
    return (await imports.contacts.GetContact(contacts_pb.GetContactRequest(phone_number=number))).contact


async def exported(imports: Imports, form: contact_pb2.ExportFormat.ValueType) -> bytes:
    request = contacts_pb.ExportContactsRequest(format=form)
    return b"".join([piece.data async for piece in imports.contacts.ExportContacts(request)])


@pytest.mark.parametrize(
    ("cell", "extension"),
    [
        ("+1 202-555-0123 x4410", "4410"),
        ("+1 202-555-0123 ext. 4411", "4411"),
        ("+1 202-555-0123 #4412", "4412"),
        ("+1 202-555-0123;ext=4413", "4413"),
        ("tel:+1-202-555-0123;ext=4415", "4415"),
        ("(202) 555-0123 extension 4416", "4416"),
        ("(202) 555-0123 доб. 007", "007"),
        ("(202) 555-0123", ""),
    ],
)
async def test_the_extension_of_a_cell_is_kept(imports: Imports, cell: str, extension: str) -> None:
    job = await imports.run(f"phone,name\n{cell},Ann\n(202) 555-0199,Bob\n".encode(), default_region="US")
    assert job.counts.inserted == 2
    assert (await contact(imports)).extension == extension
    assert [one.phone_number for one in await listed(imports, "extension:*")] == [NUMBER] * bool(extension)
    if extension:
        assert [one.phone_number for one in await listed(imports, f'extension = "{extension}"')] == [NUMBER]
    assert [one.phone_number for one in await listed(imports, 'extension != "4410" AND name = "Bob"')] == [OTHER]


@pytest.mark.parametrize(
    ("first", "second", "others"),
    [
        (NUMBER, f"{OTHER} ext 5", [f"{OTHER};ext=5"]),
        # The number of the contact is left out only if it has no other extension.
        (NUMBER, f"{NUMBER} ext 5", [f"{NUMBER};ext=5"]),
        (f"{NUMBER} ext 5", f"{NUMBER} x5", []),
        (f"{NUMBER} ext 5", NUMBER, []),
        (f"{NUMBER} ext 5", f"{NUMBER} x6", [f"{NUMBER};ext=6"]),
        # The `;` of an extension separates no numbers.
        (NUMBER, f"{OTHER};ext=5", [f"{OTHER};ext=5"]),
        (NUMBER, f"{OTHER};ext=5;{OTHER};{NUMBER};+12025550188 x7", [f"{OTHER};ext=5", OTHER, "+12025550188;ext=7"]),
    ],
)
async def test_extensions_of_additional_numbers_are_kept(
    imports: Imports, first: str, second: str, others: list[str]
) -> None:
    job = await imports.run(f"phone,phone2\n{first},{second}\n".encode(), default_region="US")
    assert job.counts.inserted == 1
    found = await contact(imports)
    assert (list(found.other_numbers), dict(found.attributes)) == (others, {})


async def test_the_additional_number_that_becomes_the_contact_brings_its_extension(imports: Imports) -> None:
    await imports.run(b"phone,phone2\n,+1 202-555-0123 x9\n", default_region="US")
    found = await contact(imports)
    assert (found.extension, list(found.other_numbers)) == ("9", [])


async def test_a_column_of_extensions_is_mapped(imports: Imports) -> None:
    mapping = [import_pb2.ColumnMapping(column="Ext", field=import_pb2.CONTACT_FIELD_EXTENSION)]
    data = (
        "phone,phone2,Ext\n2025550101,,12\n2025550102 x3,,12\n2025550103 x12,,12\n2025550104,,front desk\n"
        ",2025550105,12\n2025550106,2025550106 x12,12\n"
    )
    await imports.run(data.encode(), default_region="US", mapping=mapping)
    assert [(one.extension, dict(one.attributes), list(one.other_numbers)) for one in await listed(imports)] == [
        ("12", {}, []),
        ("3", {"Ext": "12"}, []),
        ("12", {}, []),
        ("", {"Ext": "front desk"}, []),
        ("", {"Ext": "12"}, []),
        ("12", {}, []),
    ]


@pytest.mark.parametrize(("policy", "extension"), [(SKIP, "1"), (FILL, "1"), (OVERWRITE, "2")])
async def test_an_extension_is_merged_as_other_fields_are(
    imports: Imports, policy: import_pb2.ExistingPolicy.ValueType, extension: str
) -> None:
    await imports.run(f"phone\n{NUMBER} x1\n{OTHER}\n".encode())
    second = await imports.run(f"phone\n{NUMBER} x2\n{OTHER} x3\n".encode(), existing_policy=policy)
    assert (await contact(imports)).extension == extension
    assert (await contact(imports, OTHER)).extension == ("" if policy == SKIP else "3")
    third = await imports.run(f"phone\n{NUMBER}\n{OTHER}\n".encode(), existing_policy=policy)
    assert (third.counts.updated, third.counts.unchanged) == (0, 2)
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=second.import_id))
    assert [one.extension for one in await listed(imports)] == ["1", ""]


@pytest.mark.parametrize(
    "form", [contact_pb2.EXPORT_FORMAT_CSV, contact_pb2.EXPORT_FORMAT_JSONL, contact_pb2.EXPORT_FORMAT_ARROW]
)
async def test_exports_come_back_unchanged(imports: Imports, form: contact_pb2.ExportFormat.ValueType) -> None:
    data = f"phone,phone2,name\n{NUMBER} x1,{OTHER} x2;+12025550188;+12025550188 x3,Ann\n+12025550177,,Bob\n"
    await imports.run(data.encode())
    before = await listed(imports)
    assert list(before[1].other_numbers) == [] or list(before[0].other_numbers) == []
    file = await exported(imports, form)
    if form == contact_pb2.EXPORT_FORMAT_CSV:
        assert f"{OTHER};ext=2;+12025550188;+12025550188;ext=3,".encode() in file
        assert b"'+" not in file
    again = await imports.run(file)
    assert (again.counts.unchanged, again.counts.rows_in) == (2, 2)
    await make_tenant(imports.database, "other-1")
    enter_tenant("other-1")
    await imports.run(file)
    mine = [(one.phone_number, one.extension, list(one.other_numbers)) for one in before]
    assert [(one.phone_number, one.extension, list(one.other_numbers)) for one in await listed(imports)] == mine


async def test_an_erased_number_goes_with_its_extensions(imports: Imports) -> None:
    await imports.run(f"phone,phone2,name\n{OTHER},{NUMBER} x5,Ann\n{NUMBER} x6,,Bob\n{NUMBER} x7,,Cai\n".encode())
    second = await imports.run(f"phone,phone2,name\n{OTHER},,Anna\n".encode())
    await imports.contacts.EraseContacts(contacts_pb.EraseContactsRequest(phone_numbers=[NUMBER]))
    assert list((await contact(imports, OTHER)).other_numbers) == []
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=second.import_id))
    found = await contact(imports, OTHER)
    assert (found.name, list(found.other_numbers)) == ("Ann", [])
    async with imports.database.tenant(TENANT) as connection:
        (row,) = await connection.fetch("SELECT e164, extension, name, row_text, line FROM bossjy.import_duplicates")
    assert tuple(row) == ("", "", "", "", 4)


async def test_contacts_of_an_earlier_release_are_merged_and_reverted(make_imports: Callable[..., Imports]) -> None:
    """Former values and rows from before contacts had extensions lack the field."""
    imports = make_imports()
    await imports.run(f"phone,name\n{NUMBER},Ann\n".encode())
    second = await imports.run(f"phone,name\n{NUMBER},Anna\n".encode())
    third = await imports.run(f"phone,name\n{NUMBER} x5,Anne\n".encode())
    async with imports.database.tenant(TENANT) as connection:
        await connection.execute(
            "UPDATE bossjy.import_changes SET former = former - 'extension', fields = fields - 'extension', line = NULL"
        )
        await connection.execute("UPDATE bossjy.contacts SET created_line = NULL")
    answer = await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=second.import_id))
    assert (answer.removed_count, answer.restored_count) == (0, 1)
    answer = await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=third.import_id))
    assert [(one.name, one.extension) for one in await listed(imports)] == [("Ann", "")]
