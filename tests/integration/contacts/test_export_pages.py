"""Exports in pages: no connection is occupied while the client reads, and each contact comes once."""

from __future__ import annotations

import asyncio
import json

from bossjy_server.contacts.contacts import Contacts
from bossjy_server.contacts.export import JsonlWriter
from tests.integration.imports.conftest import TENANT, Imports, mac

COUNT = 2500


def number(index: int) -> str:
    return f"+8613800{index:06d}"


async def test_an_export_occupies_no_connection_while_its_client_reads(imports: Imports) -> None:
    await imports.run(b"phone,name\n" + b"".join(f"{number(n)},name\n".encode() for n in range(COUNT)))
    contacts = Contacts(imports.database, mac)
    pieces = contacts.export(TENANT, "", lambda _: JsonlWriter(), 20_000)
    read = [await anext(pieces)]
    async with asyncio.timeout(30):
        while imports.database.shares.taken:  # the import is tidied in the background
            await asyncio.sleep(0.01)
    assert imports.database.size[0] == imports.database.size[1]
    # A contact of the page that was read, one of a later page, and one before both: as each page finds them.
    await contacts.delete(TENANT, number(1), etag="", allow_missing=False)
    await contacts.delete(TENANT, number(COUNT - 1), etag="", allow_missing=False)
    await imports.run(f"phone,name\n{number(COUNT)},name\n".encode())
    read += [piece async for piece in pieces]
    found = [json.loads(line)["phone_number"] for line in b"".join(data for data, _ in read).splitlines()]
    assert found == [number(n) for n in range(COUNT + 1) if n != COUNT - 1]
    assert read[-1][1] == len(found)
    assert max(len(data) for data, _ in read) == 20_000


async def test_a_whole_number_of_pages_ends_without_an_extra_contact(imports: Imports) -> None:
    await imports.run(b"phone,name\n" + b"".join(f"{number(n)},name\n".encode() for n in range(1000)))
    pieces = Contacts(imports.database, mac).export(TENANT, "", lambda _: JsonlWriter(), 1 << 20)
    assert [count async for _, count in pieces] == [1000]
