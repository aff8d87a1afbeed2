"""Filters, orders, counts and exports against a table of known contacts and a model in Python."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from bossjy.contacts.v1 import contact_pb2
from bossjy.contacts.v1 import contact_service_pb2 as pb
from bossjy_numbering import Plan
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import TENANT, enter_tenant, mac, make_tenant

START = datetime(2026, 1, 1, tzinfo=UTC)
INSERT = """
INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, email, attributes, carrier, created_import_id,
    create_time, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
TYPES = {"FIXED_LINE": 0, "MOBILE": 1, "UNKNOWN": 99}


@dataclass(frozen=True)
class Row:
    e164: str
    region: str
    type: str
    name: str
    email: str
    attributes: dict[str, str]
    carrier: str
    created_import: str
    create_time: datetime
    update_time: datetime


def make_rows() -> list[Row]:
    rng = random.Random(3)
    return [
        Row(
            e164=f"+86138{n:08d}",
            region=rng.choice(["CN", "HK", "US"]),
            type=rng.choice(list(TYPES)),
            name=rng.choice(["", "张三", "李四", "Zoë"]),
            email=rng.choice(["", "a@b.cn"]),
            attributes=rng.choice([{}, {"城市": "北京"}, {"城市": "上海", "k\"'": "=1+1"}]),
            carrier=rng.choice(["", "China Mobile"]),
            created_import=rng.choice(["imp_1", "imp_2"]),
            create_time=START + timedelta(hours=rng.randrange(100)),
            update_time=START + timedelta(days=10, seconds=rng.randrange(5)),
        )
        for n in range(200)
    ]


ROWS = make_rows()


@pytest.fixture
async def contacts(database: Database, plan: Plan) -> ContactServicer:
    await make_tenant(database, TENANT)
    async with database.tenant(TENANT) as connection:
        await connection.executemany(
            INSERT,
            [
                (
                    TENANT,
                    row.e164,
                    row.region,
                    TYPES[row.type],
                    row.name,
                    row.email,
                    json.dumps(row.attributes),
                    row.carrier,
                    row.created_import,
                    row.create_time,
                    row.update_time,
                )
                for row in ROWS
            ],
        )
    enter_tenant(TENANT)
    return ContactServicer(database, plan, mac)


async def listed(contacts: ContactServicer, text: str = "", order_by: str = "", page_size: int = 37) -> list[str]:
    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListContactsRequest(
            filter=text, order_by=order_by, page_size=page_size, page_token=token, count_total=True
        )
        page = await contacts.ListContacts(request)
        seen += [one.phone_number for one in page.contacts]
        token = page.next_page_token
        if not token:
            assert page.total_size == len(seen)
            return seen


CASES: list[tuple[str, Callable[[Row], bool]]] = [
    ("region = CN", lambda r: r.region == "CN"),
    ("region != CN", lambda r: r.region != "CN"),
    ("type = MOBILE", lambda r: r.type == "MOBILE"),
    ('name : "张"', lambda r: "张" in r.name),
    ("name : ZO", lambda r: "zo" in r.name.lower()),
    ('email = ""', lambda r: not r.email),
    ("carrier : mobile", lambda r: bool(r.carrier)),
    ("created_import = imp_1", lambda r: r.created_import == "imp_1"),
    ("changed_import = imp_1", lambda _: False),
    ("NOT changed_import = imp_1", lambda _: True),
    ('create_time >= "2026-01-03T00:00:00Z"', lambda r: r.create_time >= START + timedelta(days=2)),
    ('create_time < "2026-01-03T08:00:00+08:00"', lambda r: r.create_time < START + timedelta(days=2)),
    ("attributes.城市 = 北京", lambda r: r.attributes.get("城市") == "北京"),
    ("attributes.城市 != 北京", lambda r: r.attributes.get("城市") != "北京"),
    ("attributes.城市:*", lambda r: "城市" in r.attributes),
    ("NOT attributes.城市:*", lambda r: "城市" not in r.attributes),
    ('attributes."k\\"\'" : 1+1', lambda r: "k\"'" in r.attributes),
    (
        "region = CN AND type = MOBILE OR type = UNKNOWN",
        lambda r: r.region == "CN" and r.type in {"MOBILE", "UNKNOWN"},
    ),
    (
        "NOT (region = CN OR region = HK) AND -email = a@b.cn",
        lambda r: r.region not in {"CN", "HK"} and r.email != "a@b.cn",
    ),
    ('name = "\'; DROP TABLE bossjy.contacts; --"', lambda _: False),
    ('name : "%"', lambda _: False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
async def test_a_filter_passes_what_it_says(contacts: ContactServicer, case: tuple[str, Callable[[Row], bool]]) -> None:
    text, holds = case
    assert await listed(contacts, text) == [row.e164 for row in ROWS if holds(row)]


@pytest.mark.parametrize("field", ["create_time", "update_time"])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_by_time_tell_each_contact_once(contacts: ContactServicer, field: str, *, descending: bool) -> None:
    expected = sorted(ROWS, key=lambda row: (getattr(row, field), row.e164), reverse=descending)
    got = await listed(contacts, order_by=field + (" desc" if descending else ""), page_size=7)
    assert got == [row.e164 for row in expected]


async def test_counts_by_each_dimension(contacts: ContactServicer) -> None:
    answer = await contacts.GetContactStats(
        pb.GetContactStatsRequest(
            filter="region != US",
            dimensions=[
                contact_pb2.STATS_DIMENSION_REGION,
                contact_pb2.STATS_DIMENSION_NUMBER_TYPE,
                contact_pb2.STATS_DIMENSION_CARRIER,
                contact_pb2.STATS_DIMENSION_CREATE_DAY,
                contact_pb2.STATS_DIMENSION_CREATED_IMPORT,
            ],
            bucket_limit=2,
        )
    )
    rows = [row for row in ROWS if row.region != "US"]
    assert answer.total_count == len(rows)
    counted: list[Counter[str]] = [
        Counter(row.region for row in rows),
        Counter(row.type for row in rows),
        Counter(row.carrier for row in rows),
        Counter(row.create_time.date().isoformat() for row in rows),
        Counter(row.created_import for row in rows),
    ]
    for table, counter in zip(answer.tables, counted, strict=True):
        assert [bucket.count for bucket in table.buckets] == [count for _, count in counter.most_common(2)]
        assert all(counter[bucket.value] == bucket.count for bucket in table.buckets)
        assert table.other_count == len(rows) - sum(bucket.count for bucket in table.buckets)
    by_default = await contacts.GetContactStats(pb.GetContactStatsRequest())
    assert [table.dimension for table in by_default.tables] == [1, 2]
    assert by_default.total_count == 200


async def exported(contacts: ContactServicer, form: int, text: str = "") -> tuple[bytes, int]:
    data, count = b"", 0
    async for piece in contacts.ExportContacts(pb.ExportContactsRequest(filter=text, format=form)):  # type: ignore[arg-type]
        data, count = data + piece.data, piece.contact_count
    return data, count


async def test_csv_opens_in_a_spreadsheet_and_contains_no_formula(contacts: ContactServicer) -> None:
    data, count = await exported(contacts, contact_pb2.EXPORT_FORMAT_CSV, "region = CN")
    rows = [row for row in ROWS if row.region == "CN"]
    assert count == len(rows)
    assert data.startswith(b"\xef\xbb\xbfphone_number,")
    assert data.count(b"\r\n") == len(rows) + 1
    read = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["phone_number"] for row in read] == [row.e164 for row in rows]
    assert [row["城市"] for row in read] == [row.attributes.get("城市", "") for row in rows]
    assert {row["k\"'"] for row in read} == {"", "'=1+1"}
    running = [cell for row in read for cell in row.values() if cell[:1] in set("=+-@")]
    assert not [cell for cell in running if re.fullmatch(r"\+\d+(;\+\d+)*", cell) is None]


async def test_json_lines_and_arrow_contain_the_same(contacts: ContactServicer) -> None:
    lines, count = await exported(contacts, contact_pb2.EXPORT_FORMAT_JSONL)
    objects = [json.loads(line) for line in lines.splitlines()]
    assert count == len(objects) == 200
    assert [one["attributes"] for one in objects] == [row.attributes for row in ROWS]
    assert [one["type"] for one in objects] == [row.type for row in ROWS]
    arrow, count = await exported(contacts, contact_pb2.EXPORT_FORMAT_ARROW)
    table = pa.ipc.open_stream(arrow).read_all()
    assert count == table.num_rows == 200
    assert table.column("phone_number").to_pylist() == [row.e164 for row in ROWS]
    assert table.column("create_time").to_pylist() == [row.create_time for row in ROWS]
    assert [dict(pairs or []) for pairs in table.column("attributes").to_pylist()] == [row.attributes for row in ROWS]


async def test_an_export_of_nothing_is_a_header(contacts: ContactServicer) -> None:
    data, count = await exported(contacts, contact_pb2.EXPORT_FORMAT_UNSPECIFIED, "region = XX")
    assert (data.count(b"\n"), count) == (1, 0)
    assert await exported(contacts, contact_pb2.EXPORT_FORMAT_JSONL, "region = XX") == (b"", 0)
