from __future__ import annotations

import orjson

from bossjy_numbering import Plan
from bossjy_server.imports.reading.layout import RejectReason
from tests.unit.imports.test_clean import clean

A, B, C = "+8613800144031", "+8613800144032", "+8613800144033"
COLUMNS = "name,phone,mobile,座机"


def test_the_first_valid_number_of_a_row_is_its_number_and_the_rest_is_kept(plan: Plan) -> None:
    text = (
        "Ann,,13800144031,\n"
        "Cai,bad,13800144032,\n"
        "Dee,13800144033,,\n"
        "Eva,13800144031,13800144032,13800144033\n"
        "Fay,,none,13800144033\n"
        "Gil,13800144031,13800144032,+86 138 0014 4032\n"
        "Hal,13800144031,13800144031,x\n"
    )
    rows, rejects = clean(plan, COLUMNS, text, region="CN")
    assert not rejects
    found = {
        str(rows.name[row]): (
            str(rows.e164[row]),
            str(rows.other_numbers[row]),
            orjson.loads(str(rows.attributes[row])),
        )
        for row in range(len(rows))
    }
    assert found == {
        "Ann": (A, "{}", {}),
        "Cai": (B, "{}", {"phone": "bad"}),
        "Dee": (C, "{}", {}),
        "Eva": (A, "{" + f"{B},{C}" + "}", {}),
        "Fay": (C, "{}", {"mobile": "none"}),
        "Gil": (A, "{" + B + "}", {}),
        "Hal": (A, "{}", {"座机": "x"}),
    }


def test_lists_of_numbers_in_two_columns_keep_each_number_once(plan: Plan) -> None:
    text = f"Ann,{A},{B};{C},{C};{A}\nBob,{A},{B},{B};{C}\nCai,{A},,\n"
    rows, rejects = clean(plan, COLUMNS, text, region="CN")
    assert not rejects
    assert [str(one) for one in rows.other_numbers] == ["{" + f"{B},{C}" + "}"] * 2 + ["{}"]


def test_a_row_without_a_valid_number_is_refused_for_its_first_filled_cell(plan: Plan) -> None:
    text = "a,,12,x\nb,,,\nc,447400123456,y,\nd,,,447400123456\n"
    rows, rejects = clean(plan, COLUMNS, text, region="CN")
    assert len(rows) == 0
    assert [(row.reason, row.column, row.original, row.suggestion) for row in rejects] == [
        (RejectReason.TOO_SHORT, "mobile", "12", ""),
        (RejectReason.PHONE_EMPTY, "phone", "", ""),
        (RejectReason.NOT_IN_PLAN, "phone", "447400123456", "+447400123456"),
        (RejectReason.NOT_IN_PLAN, "座机", "447400123456", "+447400123456"),
    ]


def test_each_row_has_its_own_country_in_all_phone_columns(plan: Plan) -> None:
    text = "020 7946 0018,,GB\n,020 7946 0018,GB\n,13800144031,\nx,y,GB\n"
    rows, rejects = clean(plan, "phone,mobile,country", text, region="CN")
    assert [str(one) for one in rows.e164] == ["+442079460018", "+442079460018", A]
    assert [str(one) for one in rows.region] == ["GB", "GB", "CN"]
    assert len(rejects) == 1
