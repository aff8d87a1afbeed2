from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bossjy_numbering import Plan
from bossjy_server.imports.reading.layout import RejectReason
from tests.unit.imports.test_clean import clean

HERE = Path(__file__).with_name("countries.csv")


def rows_of(region: str, plan: Plan) -> dict[str, tuple[str, str]]:
    """For each country cell the expected result of its row, and the actual one."""
    found: dict[str, tuple[str, str]] = {}
    for row in csv.DictReader(HERE.read_text("utf-8").splitlines()):
        good, rejects = clean(plan, "country,phone", f'"{row["country"]}",{row["phone"]}\n', region=region)
        came = str(good.e164[0]) if len(good) else RejectReason(rejects[0].reason).name
        found[row["country"]] = (row["must_be"], came)
    return found


@pytest.mark.parametrize("region", ["CN", "US", ""])
def test_each_row_is_read_in_the_country_that_it_names(plan: Plan, region: str) -> None:
    rows = rows_of(region, plan)
    assert len(rows) > 20
    assert {country: came for country, (_, came) in rows.items()} == {
        country: must_be for country, (must_be, _) in rows.items()
    }


def test_a_country_that_is_not_understood_refuses_its_row_with_its_own_reason(plan: Plan) -> None:
    text = "13800138000,Mordor\n13800138000,\n,Mordor\n12,中国\n"
    good, rejects = clean(plan, "phone,country", text, region="CN")
    assert good.offset.tolist() == [19]
    assert [(row.reason, row.column, row.original, row.suggestion) for row in rejects] == [
        (RejectReason.COUNTRY_UNKNOWN, "country", "Mordor", ""),
        (RejectReason.PHONE_EMPTY, "phone", "", ""),
        (RejectReason.TOO_SHORT, "phone", "12", ""),
    ]


def test_an_empty_country_column_means_the_region_of_the_import(plan: Plan) -> None:
    good, rejects = clean(plan, "phone,country", "13800138000,\n13800138001,\n", region="CN")
    assert (len(good), rejects) == (2, [])
