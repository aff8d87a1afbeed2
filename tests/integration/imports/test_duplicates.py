"""Rows that share a number: the winner keeps its extension, the others are listed with the row that won."""

from __future__ import annotations

import asyncio
import csv
import io
import random
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import NotFound
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, make_tenant, requests
from tests.integration.imports.test_order import FILL, FIRST, HEADER, LAST, OVERWRITE, SKIP, random_rows, text

EXTENSIONS = """name,phone
E0,+1 202-555-0123 x4410
E1,+1 202-555-0123 ext. 4411
E2,+1 202-555-0123 #4412
E3,+1 202-555-0123;ext=4413
E4,tel:+1-202-555-0123;ext=4415
E5,(202) 555-0123 extension 4416
"""


async def duplicates(imports: Imports, import_id: str, page_size: int = 1000) -> list[import_pb2.DuplicateRow]:
    rows: list[import_pb2.DuplicateRow] = []
    token = ""
    while True:
        request = pb.ListDuplicateRowsRequest(import_id=import_id, page_size=page_size, page_token=token)
        answer = await imports.servicer.ListDuplicateRows(request)
        rows += answer.rows
        token = answer.next_page_token
        if not token:
            return rows


async def exported(imports: Imports, import_id: str, *, plain: bool = False) -> tuple[list[str], list[dict[str, str]]]:
    request = pb.ExportDuplicateRowsRequest(import_id=import_id, plain_cells=plain)
    pieces = imports.servicer.ExportDuplicateRows(request)
    data = b"".join([piece.data async for piece in pieces])
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return list(reader.fieldnames or []), list(reader)


def told(row: import_pb2.DuplicateRow) -> dict[str, tuple[str, str]]:
    return {one.field: (one.value, one.contact_value) for one in row.differences}


async def get_import(imports: Imports, import_id: str) -> import_pb2.Import:
    return (await imports.servicer.GetImport(pb.GetImportRequest(import_id=import_id))).import_job


async def begin(imports: Imports, import_id: str, data: bytes) -> None:
    """Commit the first bytes of a part by a stream that ends before the part does."""

    async def messages() -> AsyncIterator[pb.UploadRequest]:
        async for message in requests(import_id, data, chunk=50):
            if not message.HasField("finish"):
                yield message

    async for _ in imports.servicer.Upload(messages()):
        pass


async def extension_of(imports: Imports, number: str) -> str:
    async with imports.database.tenant(TENANT) as connection:
        return str(await connection.fetchval("SELECT extension FROM bossjy.contacts WHERE e164 = $1", number))


@pytest.mark.parametrize("block_bytes", [30, 1 << 20])
async def test_rows_that_share_a_number_are_listed_with_the_row_that_won(
    make_imports: Callable[..., Imports], block_bytes: int
) -> None:
    imports = make_imports(block_bytes=block_bytes, flush_s=0.01)
    job = await imports.run(EXTENSIONS.encode(), chunk=40, default_region="US")
    assert (job.counts.inserted, job.counts.duplicate) == (1, 5)
    assert not job.duplicates_truncated
    assert await extension_of(imports, "+12025550123") == "4410"
    rows = await duplicates(imports, job.import_id)
    lines = EXTENSIONS.splitlines(keepends=True)
    assert [(row.line, row.byte_offset, row.row_text) for row in rows] == [
        (number + 1, sum(map(len, lines[:number])), lines[number].rstrip()) for number in range(2, 7)
    ]
    assert {(row.phone_number, row.winner_line, row.winner_byte_offset) for row in rows} == {
        ("+12025550123", 2, len(lines[0]))
    }
    values = [told(row) for row in rows]
    assert [one["extension"] for one in values] == [(x, "4410") for x in ("4411", "4412", "4413", "4415", "4416")]
    assert [one["name"] for one in values] == [(f"E{number}", "E0") for number in range(1, 6)]
    names, lost = await exported(imports, job.import_id)
    assert names[:2] == ["name", "phone"]
    assert [(row["bossjy_line"], row["name"], row["bossjy_winner_line"]) for row in lost] == [
        (str(line), f"E{line - 2}", "2") for line in range(3, 8)
    ]
    assert lost[0]["bossjy_differences"] == "extension: 4411 (contact: 4410); name: E1 (contact: E0)"


async def test_the_last_row_wins_over_rows_of_earlier_blocks(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=30, flush_s=0.01)
    data = EXTENSIONS.replace("name,phone", "姓名,手机号").encode()
    job = await imports.create(default_region="US", duplicate_policy=LAST)
    await begin(imports, job.import_id, data[: data.index(b"E2")])
    await imports.upload(job.import_id, data, chunk=40)
    job = await get_import(imports, job.import_id)
    assert (job.counts.inserted, job.counts.duplicate) == (1, 5)
    assert await extension_of(imports, "+12025550123") == "4416"
    rows = await duplicates(imports, job.import_id)
    assert [row.line for row in rows] == [2, 3, 4, 5, 6]
    assert {row.winner_line for row in rows} == {7}
    assert [told(row)["extension"] for row in rows] == [(x, "4416") for x in ("4410", "4411", "4412", "4413", "4415")]
    # The text of rows that had won is gone: their values are exported in its place, and can be imported again.
    _, lost = await exported(imports, job.import_id)
    assert [(row["姓名"], row["手机号"]) for row in lost[:2]] == [
        ("E0", "+12025550123;ext=4410"),
        ("E1", "+12025550123;ext=4411"),
    ]


@pytest.mark.parametrize("validate_only", [False, True])
@pytest.mark.parametrize("duplicate", [FIRST, LAST])
@pytest.mark.parametrize("existing", [SKIP, FILL, OVERWRITE])
async def test_every_duplicate_is_listed_once(
    make_imports: Callable[..., Imports], existing: int, duplicate: int, *, validate_only: bool
) -> None:
    """Across blocks and parts, for new contacts and for existing ones: as many as were counted."""
    rng = random.Random(existing * 10 + duplicate)
    imports = make_imports(block_bytes=150, flush_s=0.01, poll_s=0.02)
    for _ in range(2):
        rows = random_rows(rng, 60)
        pieces = [HEADER.encode() + text(rows[:20]), text(rows[20:40]), text(rows[40:])]
        job = await imports.create(
            validate_only=validate_only, part_count=3, existing_policy=existing, duplicate_policy=duplicate
        )
        await asyncio.gather(
            *(imports.upload(job.import_id, data, part=part, chunk=90) for part, data in enumerate(pieces))
        )
        done = await get_import(imports, job.import_id)
        listed = await duplicates(imports, job.import_id, page_size=7)
        assert len(listed) == done.counts.duplicate > 0
        assert not done.duplicates_truncated
        if validate_only:
            continue
        # Each number has one winner: its first or its last row. All its other rows are listed, in their order.
        places = places_of(rows)
        winners = {number: (found[0] if duplicate == FIRST else found[-1]) for number, found in places.items()}
        expected = sorted(place for number, found in places.items() for place in found if place != winners[number])
        assert [(row.part, row.line) for row in listed] == expected
        for row in listed:
            assert (row.winner_part, row.winner_line) == winners[row.phone_number]
            lines = pieces[row.part].split(b"\n")
            assert row.byte_offset == sum(len(line) + 1 for line in lines[: row.line - 1])
            lines = pieces[row.winner_part].split(b"\n")
            assert row.winner_byte_offset == sum(len(line) + 1 for line in lines[: row.winner_line - 1])


def places_of(rows: Sequence[tuple[str, ...]]) -> dict[str, list[tuple[int, int]]]:
    """Part and line of each row, by number."""
    places: dict[str, list[tuple[int, int]]] = {}
    for index, row in enumerate(rows):
        part, line = divmod(index, 20)
        number = row[0].partition(" ")[0]
        places.setdefault(number, []).append((part, line + (2 if part == 0 else 1)))
    return places


async def test_the_list_is_bounded(make_imports: Callable[..., Imports]) -> None:
    data = HEADER.encode() + b"".join(b"+8613800138000,n%d,,,\n" % number for number in range(30))
    for policy in (FIRST, LAST):
        imports = make_imports(block_bytes=60, flush_s=0.01, max_duplicates_kept=7)
        job = await imports.run(data, chunk=50, duplicate_policy=policy)
        assert (job.counts.duplicate, job.duplicates_truncated) == (29, True)
        assert len(await duplicates(imports, job.import_id)) == 7
    none = make_imports(max_duplicates_kept=0)
    job = await none.run(data)
    assert (job.duplicates_truncated, await duplicates(none, job.import_id)) == (True, [])


async def test_a_resumed_part_keeps_to_the_bound(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=60, flush_s=0.01, max_duplicates_kept=7)
    data = HEADER.encode() + b"".join(b"+8613800138000,n%d,,,\n" % number for number in range(30))
    job = await imports.create()
    await begin(imports, job.import_id, data[: data.index(b"n5,")])
    kept = len(await duplicates(imports, job.import_id))
    assert 0 < kept < 7
    await imports.upload(job.import_id, data, chunk=50)
    assert len(await duplicates(imports, job.import_id)) == 7
    assert (await get_import(imports, job.import_id)).duplicates_truncated


async def test_nothing_is_kept_of_an_import_without_duplicates(imports: Imports) -> None:
    job = await imports.run(HEADER.encode() + b"+8613800138000,a,,,\n+8613800138001,b,,,\n")
    assert await duplicates(imports, job.import_id) == []
    again = await imports.run(HEADER.encode() + b"+8613800138000,a,,,\n+8613800138001,c,,,\n")
    assert (again.counts.unchanged, again.counts.updated) == (1, 1)
    assert await duplicates(imports, again.import_id) == []


async def test_the_winner_stays_known_after_a_revert(imports: Imports) -> None:
    data = HEADER.encode() + b"+8613800138000,a,,,\n+8613800138000,b,,,\n"
    job = await imports.run(data)
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
    (row,) = await duplicates(imports, job.import_id)
    assert (row.line, row.winner_line, row.winner_byte_offset) == (3, 2, len(HEADER.encode()))
    assert told(row) == {"name": ("b", "")}


async def test_the_winner_is_told_after_the_contact_changed_hands(make_imports: Callable[..., Imports]) -> None:
    """An import that only confirmed a contact owns it after the reversal of the import that made it."""
    imports = make_imports(block_bytes=30, flush_s=0.01)
    first = await imports.run(HEADER.encode() + b"+8613800138000,a,,,\n")
    second = await imports.create()
    head = HEADER.encode() + b"+8613800138009,z,,,\n+8613800138000,a,,,\n"
    await begin(imports, second.import_id, head)
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=first.import_id))
    await imports.upload(second.import_id, head + b"+8613800138000,b,,,\n", chunk=30)
    (row,) = await duplicates(imports, second.import_id)
    assert (row.line, row.winner_line) == (4, 3)


async def test_duplicates_of_another_tenant_or_import_are_not_found(imports: Imports) -> None:
    job = await imports.run(HEADER.encode() + b"+8613800138000,a,,,\n+8613800138000,b,,,\n")
    assert len(await duplicates(imports, job.import_id)) == 1
    with pytest.raises(NotFound):
        await duplicates(imports, "imp_none")
    await make_tenant(imports.database, "other-1")
    enter_tenant("other-1")
    with pytest.raises(NotFound):
        await duplicates(imports, job.import_id)
    with pytest.raises(NotFound):
        await exported(imports, "imp_none")


async def test_a_row_with_many_attributes_is_listed_without_them(imports: Imports) -> None:
    long = "x" * 9_000
    job = await imports.run(f"phone,name,note\n13800138000,a,\n13800138000,b,{long}\n".encode())
    (row,) = await duplicates(imports, job.import_id)
    assert told(row) == {"name": ("b", "a")}
    assert len(row.row_text) == 8_000
    _, (lost,) = await exported(imports, job.import_id)
    assert lost["phone"] == ""
    assert lost["bossjy_row"] == row.row_text


async def test_duplicates_go_with_the_layers_of_an_old_import(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(revert_days=30)
    data = HEADER.encode() + b"+8613800138000,a,,,\n+8613800138000,b,,,\n"
    old, kept = await imports.run(data), await imports.run(data)
    async with imports.database.tenant(TENANT) as connection:
        await connection.execute(
            "UPDATE bossjy.imports SET end_time = now() - interval '31 days' WHERE import_id = $1", old.import_id
        )
    await imports.run(b"phone\n+8613800138009\n")
    async with asyncio.timeout(60):
        while await duplicates(imports, old.import_id):
            await asyncio.sleep(0.02)
    assert len(await duplicates(imports, kept.import_id)) == 1


@pytest.mark.parametrize(("plain", "name"), [(False, "'=1+1"), (True, "=1+1")])
async def test_cells_are_guarded_for_spreadsheets_and_unchanged_for_programs(
    make_imports: Callable[..., Imports], *, plain: bool, name: str
) -> None:
    imports = make_imports()
    data = b"phone,name\n13800138000,ann\n13800138000,=1+1\n"
    job = await imports.run(data)
    _, (row,) = await exported(imports, job.import_id, plain=plain)
    assert row["name"] == name
