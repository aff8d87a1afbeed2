from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_numbering import Plan
from bossjy_server.imports.cleaning.attributes import json_objects
from bossjy_server.imports.cleaning.clean import Cleaner, CleanRows
from bossjy_server.imports.cleaning.stage import stage
from bossjy_server.imports.reading.arrow import text_column
from bossjy_server.imports.reading.layout import Layout, Place, RejectReason
from bossjy_server.imports.reading.mapping import resolve_mapping
from bossjy_server.imports.reading.split import split_rows
from bossjy_server.imports.records import ColumnMapping, DuplicatePolicy, RejectedRow, Spec

MAIN, OTHER = "+8613800138000", "+8613800138001"


def clean(
    plan: Plan, columns: str, text: str, *asked: ColumnMapping, region: str = "CN", keep: int = 100
) -> tuple[CleanRows, list[RejectedRow]]:
    names = columns.split(",")
    mapping = resolve_mapping(names, asked, drop_unknown=False)
    block = split_rows(text.encode(), Place(0, 2), Layout(b",", b'"', len(names), 1 << 20), final=True)
    resolved = Spec(mapping=mapping, default_region=region)
    return Cleaner(plan, resolved).clean(block, keep_rejects=keep)


def numbers(plan: Plan, cell: str, region: str = "CN") -> tuple[list[str], list[RejectedRow]]:
    rows, rejects = clean(plan, "phone,name", f'"{cell}",x\n', region=region)
    return [str(one) for one in rows.e164], rejects


def test_spreadsheet_damage_is_repaired_where_nothing_was_lost(plan: Plan) -> None:
    for cell in ("13800138000", "'13800138000", "13800138000.0", '=""13800138000""', "’13800138000", "138 0013 8000"):
        assert numbers(plan, cell) == ([MAIN], []), cell
    # Full-width digits and signs are digits and signs.
    assert numbers(plan, "＋８６　１３８００１３８０００")[0] == [MAIN]


def test_rounded_numbers_are_refused_as_such(plan: Plan) -> None:
    for cell in ("1.38E+10", "1.38001E+10", "1,38E+10", "1E10", "1.38e10", "'1.38E+10"):
        found, rejects = numbers(plan, cell)
        assert not found
        assert [row.reason for row in rejects] == [RejectReason.PRECISION_LOST], cell
        assert rejects[0].suggestion == ""


def test_each_refusal_has_its_reason_and_what_would_do(plan: Plan) -> None:
    cases = {
        "": (RejectReason.PHONE_EMPTY, ""),
        "  ": (RejectReason.PHONE_EMPTY, ""),
        "abc": (RejectReason.NOT_A_NUMBER, ""),
        "447911123456": (RejectReason.NOT_IN_PLAN, "+447911123456"),
        "+999123456789": (RejectReason.INVALID_COUNTRY_CODE, ""),
        "+86138001380001234": (RejectReason.TOO_LONG, ""),
    }
    for cell, (reason, suggestion) in cases.items():
        found, rejects = numbers(plan, cell)
        assert not found, cell
        assert (rejects[0].reason, rejects[0].suggestion) == (reason, suggestion), cell
        assert (rejects[0].column, rejects[0].original) == ("phone", cell.strip())


def test_a_lost_leading_zero_is_suggested(plan: Plan) -> None:
    # A number of Rome in Italian notation, whose zero a spreadsheet removed.
    found, rejects = numbers(plan, "698221234", region="IT")
    assert found or rejects[0].suggestion == "+390698221234"


def test_a_country_column_gives_each_row_its_region(plan: Plan) -> None:
    text = "020 7946 0018,英国\n13800138000,中国\n13800138000,cn\n13800138000,\n020 7946 0018,Great Britain\n"
    rows, rejects = clean(plan, "phone,country", text, region="CN")
    assert [str(one) for one in rows.e164] == ["+442079460018", MAIN, MAIN, MAIN, "+442079460018"]
    assert [str(one) for one in rows.region] == ["GB", "CN", "CN", "CN", "GB"]
    assert not rejects


def test_further_numbers_are_cleaned_and_what_is_none_is_kept(plan: Plan) -> None:
    text = "13800138000,138-0013-8001\n13800138000,13800138000\n13800138000,ext 5\n13800138000,\n"
    rows, rejects = clean(plan, "phone,座机", text)
    assert [str(one) for one in rows.other_numbers] == ["{" + OTHER + "}", "{}", "{}", "{}"]
    assert [orjson.loads(str(one)) for one in rows.attributes] == [{}, {}, {"座机": "ext 5"}, {}]
    assert not rejects


def test_names_are_trimmed_and_a_bad_address_is_kept_aside(plan: Plan) -> None:
    rows, _ = clean(plan, "phone,name,email", "13800138000,　张三 ,a@b.cn\n13800138000,x,nobody at home\n")
    assert [str(one) for one in rows.name] == ["张三", "x"]
    assert [str(one) for one in rows.email] == ["a@b.cn", ""]
    assert orjson.loads(str(rows.attributes[1])) == {"email": "nobody at home"}


def test_what_no_contact_can_hold_is_refused(plan: Plan) -> None:
    rows, rejects = clean(plan, "phone,name", "13800138000," + "名" * 501 + "\n13800138000," + "名" * 500 + "\n")
    assert len(rows) == 1
    assert (rejects[0].reason, rejects[0].column, rejects[0].line) == (RejectReason.VALUE_TOO_LONG, "name", 2)
    assert len(rejects[0].original) == 501


def test_kept_refused_rows_are_the_first_of_the_file(plan: Plan) -> None:
    text = "1,a\nx,a\nonly\n2,a\n"
    _, rejects = clean(plan, "phone,name", text, keep=2)
    assert [row.line for row in rejects] == [2, 3]
    _, rejects = clean(plan, "phone,name", text, keep=0)
    assert rejects == []


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_attributes_are_json_whatever_they_hold(rows: list[tuple[str, str]]) -> None:
    names = ['k"e\\y', "城市"]
    objects = json_objects(names, [text_column(row[0] for row in rows), text_column(row[1] for row in rows)], len(rows))
    got: list[dict[str, Any]] = [json.loads(str(one)) for one in objects]
    assert got == [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]


def test_a_block_is_staged_in_the_order_of_the_index_with_one_row_a_number(plan: Plan) -> None:
    text = "13800138001,b\n13800138000,first\n138 0013 8000,last\n"
    rows, _ = clean(plan, "phone,name", text)
    first, last = (stage(rows, 1, policy) for policy in DuplicatePolicy)
    assert first.copy_text.decode().split("\n")[:2] == [
        f'"{MAIN}","CN","1","first","","{{}}","{{}}","{(1 << 48) + 14}","3"',
        f'"{OTHER}","CN","1","b","","{{}}","{{}}","{1 << 48}","2"',
    ]
    assert (first.duplicate, last.duplicate) == (1, 1)
    assert '"last"' in last.copy_text.decode()
    assert first.positions.tolist() == [(1 << 48) + 14, 1 << 48]
