"""Doubtful numbers are rejected with the more likely number, or imported with an attribute that gives the reason."""

from __future__ import annotations

import json

import pytest

from bossjy.imports.v1 import import_pb2
from tests.integration.imports.conftest import Imports

KEEP = import_pb2.DOUBTFUL_POLICY_KEEP
DOUBTFUL = import_pb2.REJECT_REASON_DOUBTFUL_NUMBER
# A name after a number, letters for digits, and a vanity number, which has no better reading.
FILE = (
    "phone,name,country\n"
    "030 987654 (Axel),Axel,DE\n"
    "132OOOO5678,Ou,CN\n"
    "1-800-FLOWERS,Shop,US\n"
    "+44 20 7946 0958 ext. 12,Desk,\n"
    "138 0014 4060,Ann,CN\n"
)


@pytest.mark.parametrize("policy", [import_pb2.DOUBTFUL_POLICY_UNSPECIFIED, import_pb2.DOUBTFUL_POLICY_REJECT])
async def test_doubtful_numbers_are_rejected_unless_asked_otherwise(
    imports: Imports, policy: import_pb2.DoubtfulPolicy.ValueType
) -> None:
    job = await imports.run(FILE.encode(), doubtful_policy=policy)
    assert job.resolved.doubtful_policy == import_pb2.DOUBTFUL_POLICY_REJECT
    assert [(row.reason, row.original, row.suggestion) for row in await imports.rejects(job.import_id)] == [
        (DOUBTFUL, "030 987654 (Axel)", "+4930987654"),
        (DOUBTFUL, "132OOOO5678", "+8613200005678"),
    ]
    rows = {str(row[1]): json.loads(str(row[3])) for row in await imports.rows()}
    assert rows.keys() == {"Shop", "Desk", "Ann"}
    assert all("number_warning" not in attributes for attributes in rows.values())


async def test_doubtful_numbers_can_be_kept_and_found_again(imports: Imports) -> None:
    job = await imports.run(FILE.encode(), doubtful_policy=KEEP)
    assert job.resolved.doubtful_policy == KEEP
    assert (job.counts.inserted, job.counts.rejected) == (5, 0)
    rows = {str(row[1]): (row[0], json.loads(str(row[3])).get("number_warning")) for row in await imports.rows()}
    assert rows == {
        "Axel": ("+49309876542935", "KEYPAD_LETTERS"),
        "Ou": ("+8613266665678", "KEYPAD_LETTERS LETTERS_FOR_DIGITS"),
        "Shop": ("+18003569377", "KEYPAD_LETTERS"),
        "Desk": ("+442079460958", None),
        "Ann": ("+8613800144060", None),
    }


async def test_number_cells_are_written_out_whatever_the_policy(imports: Imports) -> None:
    data = b"phone,country\n3.0987654E7,DE\n030987654.0,DE\n1.38E+10,CN\n"
    job = await imports.run(data, doubtful_policy=KEEP)
    assert [row[0] for row in await imports.rows()] == ["+4930987654"]
    assert [row.reason for row in await imports.rejects(job.import_id)] == [import_pb2.REJECT_REASON_PRECISION_LOST]


async def test_a_doubtful_further_number_stays_a_text(imports: Imports) -> None:
    data = b"phone,phone 2,country\n+8613800144060,030 987654 (Axel),DE\n"
    await imports.run(data, doubtful_policy=KEEP)
    ((number, _, _, attributes, others),) = await imports.rows()
    assert (number, others, json.loads(str(attributes))) == ("+8613800144060", [], {"phone 2": "030 987654 (Axel)"})
