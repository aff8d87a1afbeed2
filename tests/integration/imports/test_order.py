"""Contacts and counts agree with a separate model, for all policies and orders of blocks and parts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import orjson
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import TENANT, Imports

HEADER = "手机号,姓名,邮箱,a,b\n"
Row = tuple[str, str, str, str, str]
Fields = dict[str, str]
SKIP, FILL, OVERWRITE = (
    import_pb2.EXISTING_POLICY_SKIP,
    import_pb2.EXISTING_POLICY_FILL_EMPTY,
    import_pb2.EXISTING_POLICY_OVERWRITE,
)
FIRST, LAST = import_pb2.DUPLICATE_POLICY_FIRST_WINS, import_pb2.DUPLICATE_POLICY_LAST_WINS


def random_rows(rng: random.Random, count: int) -> list[Row]:
    return [
        (
            f"+86138001380{rng.randrange(20):02d}{rng.choice(['', '', ' ext. 1', ' ext. 22'])}",
            rng.choice(["", "张", "李"]),
            rng.choice(["", "x@y.cn"]),
            rng.choice(["", "1", "2"]),
            rng.choice(["", "3"]),
        )
        for _ in range(count)
    ]


def text(rows: list[Row]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def merged(before: Fields, row: Fields, policy: int) -> Fields:
    if policy == SKIP:
        return before
    return {**before, **row} if policy == OVERWRITE else {**row, **before}


class Model:
    """The expected result of imports, computed row by row."""

    def __init__(self) -> None:
        self.contacts: dict[str, Fields] = {}

    def run(self, rows: list[Row], existing: int, duplicate: int) -> import_pb2.ImportCounts:
        counts = import_pb2.ImportCounts(rows_in=len(rows))
        winners: dict[str, Fields] = {}
        for phone, name, email, a, b in rows if duplicate == FIRST else reversed(rows):
            number, _, extension = phone.partition(" ext. ")
            values = {"extension": extension, "name": name, "email": email, "a": a, "b": b}
            fields = {k: v for k, v in values.items() if v}
            if winners.setdefault(number, fields) is not fields:
                counts.duplicate += 1
        for number, fields in winners.items():
            if number not in self.contacts:
                self.contacts[number] = fields
                counts.inserted += 1
                continue
            after = merged(self.contacts[number], fields, existing)
            counts.updated += after != self.contacts[number]
            counts.unchanged += after == self.contacts[number]
            self.contacts[number] = after
        return counts


async def contacts(imports: Imports) -> dict[str, Fields]:
    async with imports.database.tenant(TENANT) as connection:
        found = await connection.fetch("SELECT e164, extension, name, email, attributes FROM bossjy.contacts")
    return {
        e164: {k: v for k, v in {**values, **orjson.loads(attributes)}.items() if v}
        for e164, extension, name, email, attributes in found
        for values in [{"extension": extension, "name": name, "email": email}]
    }


@pytest.mark.parametrize("duplicate", [FIRST, LAST])
@pytest.mark.parametrize("existing", [SKIP, FILL, OVERWRITE])
async def test_policies_hold_across_blocks(make_imports: Callable[..., Imports], existing: int, duplicate: int) -> None:
    rng = random.Random(existing * 10 + duplicate)
    imports, model = make_imports(block_bytes=150, flush_s=0.01), Model()
    for _ in range(3):
        rows = random_rows(rng, 40)
        job = await imports.run(
            HEADER.encode() + text(rows), chunk=120, existing_policy=existing, duplicate_policy=duplicate
        )
        assert job.counts == model.run(rows, existing, duplicate)
        assert await contacts(imports) == model.contacts


@pytest.mark.parametrize("duplicate", [FIRST, LAST])
@pytest.mark.parametrize("existing", [SKIP, FILL, OVERWRITE])
async def test_policies_hold_across_parts(make_imports: Callable[..., Imports], existing: int, duplicate: int) -> None:
    rng = random.Random(existing * 10 + duplicate)
    imports, model = make_imports(block_bytes=150, flush_s=0.01, poll_s=0.02), Model()
    for _ in range(3):
        rows = random_rows(rng, 60)
        pieces = [rows[:20], rows[20:40], rows[40:]]
        job = await imports.create(part_count=3, existing_policy=existing, duplicate_policy=duplicate)
        files = [HEADER.encode() + text(pieces[0]), text(pieces[1]), text(pieces[2])]
        await asyncio.gather(
            *(
                imports.upload(job.import_id, data, part=part, chunk=rng.choice([50, 500]))
                for part, data in enumerate(files)
            )
        )
        done = (await imports.servicer.GetImport(pb.GetImportRequest(import_id=job.import_id))).import_job
        assert done.state == import_pb2.IMPORT_STATE_SUCCEEDED
        assert done.counts == model.run(rows, existing, duplicate)
        assert await contacts(imports) == model.contacts


async def test_a_dry_run_tells_what_the_import_will_do(make_imports: Callable[..., Imports]) -> None:
    rng = random.Random(7)
    imports, model = make_imports(block_bytes=150, flush_s=0.01), Model()
    for _ in range(3):
        data = HEADER.encode() + text(rows := random_rows(rng, 40))
        before = await contacts(imports)
        dry = await imports.create(validate_only=True)
        told = (await imports.upload(dry.import_id, data, chunk=120))[-1].finished.import_job
        assert await contacts(imports) == before
        assert told.counts == model.run(rows, OVERWRITE, FIRST)
        assert (await imports.run(data, chunk=120)).counts == told.counts
