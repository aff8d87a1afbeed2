"""Files of ExportContacts, imported again: every contact is unchanged, and another tenant gets the same contacts."""

from __future__ import annotations

import random
from collections.abc import Callable

import orjson
import pytest

from bossjy.contacts.v1 import contact_pb2
from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.imports.v1 import import_pb2
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, make_tenant

FORMS = {
    "csv": contact_pb2.EXPORT_FORMAT_CSV,
    "plain": contact_pb2.EXPORT_FORMAT_CSV,
    "jsonl": contact_pb2.EXPORT_FORMAT_JSONL,
    "arrow": contact_pb2.EXPORT_FORMAT_ARROW,
}
PIECES = [
    *(
        "a",
        "中",
        " ",
        '"',
        ",",
        ";",
        "\n",
        "\r\n",
        "'",
        "=",
        "+",
        "-",
        "@",
        "\\",
        "NULL",
        "N/A",
        "\t",
        "ß",
        "\N{DNA DOUBLE HELIX}",
    ),
    *("[", "]", "{", "}", "+8613800138000", "1.50", "\u2028", "\x01"),
]
KEYS = [
    *(
        "vip",
        "phone2",
        "手机",
        "email2",
        "email",
        "name",
        "region",
        "attributes",
        "city ",
        " ",
        "=sum",
        "'=x",
        "a,b",
        "-",
    ),
    *("created_import", "bossjy_line", "line\nend", '"quoted"', "+86"),
]


def random_contacts(count: int, seed: int) -> list[tuple[str, str, str, list[str], dict[str, str]]]:
    """Contacts as imports leave them: texts have no surrounding white space."""
    choose = random.Random(seed)

    def text() -> str:
        return "".join(choose.choices(PIECES, k=choose.randrange(5))).strip()

    def number() -> str:
        return f"+86138{choose.randrange(10**8):08d}"

    found = {}
    for _ in range(count):
        attributes = {key: value for key in choose.sample(KEYS, choose.randrange(5)) if (value := text())}
        others = list(dict.fromkeys(number() + choose.choice(["", ";ext=07"]) for _ in range(choose.randrange(3))))
        email = choose.choice(["", "a@example.com", "'x@example.com", "=1@example.com"])
        e164 = number()
        found[e164] = (e164, text(), email, [one for one in others if one != e164], attributes)
    return list(found.values())


async def insert(imports: Imports, rows: list[tuple[str, str, str, list[str], dict[str, str]]]) -> None:
    async with imports.database.tenant(TENANT) as connection:
        await connection.executemany(
            "INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, email, other_numbers, "
            "attributes, created_import_id) VALUES ($1, $2, 'CN', 1, $3, $4, $5, $6, 'imp_1')",
            [(TENANT, *row[:4], orjson.dumps(row[4]).decode()) for row in rows],
        )


async def export(imports: Imports, form: str) -> bytes:
    request = contacts_pb.ExportContactsRequest(format=FORMS[form], plain_cells=form == "plain")
    return b"".join([piece.data async for piece in imports.contacts.ExportContacts(request)])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
async def test_an_export_comes_back_unchanged(imports: Imports, form: str, seed: int) -> None:
    rows = random_contacts(400, seed)
    await insert(imports, rows)
    before = await imports.rows()
    data = await export(imports, form)
    job = await imports.run(data)
    rejects = await imports.rejects(job.import_id)
    assert not rejects
    assert await imports.rows() == before
    assert job.counts == import_pb2.ImportCounts(rows_in=len(rows), unchanged=len(rows))


@pytest.mark.parametrize("form", FORMS)
async def test_another_tenant_gets_the_same_contacts(imports: Imports, form: str) -> None:
    rows = random_contacts(400, 7)
    await insert(imports, rows)
    data = await export(imports, form)
    await make_tenant(imports.database, "other-1")
    enter_tenant("other-1")
    job = await imports.run(data)
    assert job.counts == import_pb2.ImportCounts(rows_in=len(rows), inserted=len(rows))
    async with imports.database.tenant("other-1") as connection:
        found = await connection.fetch("SELECT e164, name, email, other_numbers, attributes::text FROM bossjy.contacts")
    assert sorted((*row[:4], orjson.loads(row[4])) for row in found) == sorted(rows)


async def test_numbers_have_no_apostrophe_and_formulas_have_one(imports: Imports) -> None:
    contact = ("+8613800138000", "=1+1", "", ["+8613800138001", "+8613800138002"], {"note": "+1", "'=k": "v"})
    await insert(imports, [contact])
    text = (await export(imports, "csv")).decode("utf-8-sig")
    cells = text.splitlines()[1].split(",")
    assert cells[0] == "+8613800138000"
    assert cells[3] == "'=1+1"
    assert cells[5] == "+8613800138001;+8613800138002"
    assert "'+1" in cells


async def test_an_export_for_programs_has_no_apostrophes(imports: Imports) -> None:
    contact = ("+8613800138000", "=1+1", "", ["+8613800138001"], {"note": "-5", "tag": "@x"})
    await insert(imports, [contact])
    cells = (await export(imports, "plain")).decode("utf-8-sig").splitlines()[1].split(",")
    assert cells[3] == "=1+1"
    assert {"-5", "@x"} <= set(cells)
    assert not any(cell.startswith("'") for cell in cells)


async def test_an_export_that_was_edited_changes_what_was_edited(imports: Imports) -> None:
    data = "name,phone,email,phone2,vip\nAnn,13800144051,a@example.com,13800144052,yes\nBob,13800144053,,,no\n"
    await imports.run(data.encode())
    exported = (await export(imports, "csv")).replace(b"Ann", b"Anne")
    job = await imports.run(exported)
    assert job.counts == import_pb2.ImportCounts(rows_in=2, unchanged=1, updated=1)
    assert [row[1] for row in await imports.rows()] == ["Anne", "Bob"]


async def test_a_column_of_json_is_kept_as_attributes(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports()
    mapping = [import_pb2.ColumnMapping(column="more", field=import_pb2.CONTACT_FIELD_ATTRIBUTES)]
    data = 'phone,more\n13800138000,"{""a"":1.50,""b"":{""c"":[1]}}"\n13800138001,no object\n13800138002,\n'
    job = await imports.run(data.encode(), mapping=mapping)
    assert job.counts.inserted == 3
    attributes = [orjson.loads(str(row[3])) for row in await imports.rows()]
    assert attributes == [{"a": "1.50", "b": '{"c": [1]}'}, {"more": "no object"}, {}]
