from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_server.contacts.filters import (
    All,
    Any,
    Comparison,
    FieldKind,
    Negation,
    parse_filter,
)
from bossjy_server.errors import InvalidArgument, Reason


def text(field: str, value: str | None, operator: str = "=") -> Comparison:
    return Comparison(field, FieldKind.TEXT, operator, value)


def ANYWHERE(value: str) -> Any:
    return Any((text("name", value, ":"), text("email", value, ":")))


A, B, C = text("region", "CN"), text("name", "x"), text("email", "y")


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("", None),
        ("  ", None),
        ('region = "CN"', A),
        ("region=CN", A),
        ("region = 'CN' AND name = x", All((A, B))),
        # As AIP-160 has it, OR binds tighter.
        ("region = CN AND name = x OR email = y", All((A, Any((B, C))))),
        ("(region = CN AND name = x) OR email = y", Any((All((A, B)), C))),
        ("NOT region = CN", Negation(A)),
        ("-region = CN", Negation(A)),
        ("NOT (region = CN OR -name = x)", Negation(Any((A, Negation(B))))),
        ('name : "a \\"b\\" \\\\c"', text("name", 'a "b" \\c', ":")),
        ("type = MOBILE", Comparison("type", FieldKind.WORD, "=", 1)),
        (
            'create_time >= "2026-01-02"',
            Comparison("create_time", FieldKind.TIME, ">=", datetime(2026, 1, 2, tzinfo=UTC)),
        ),
        ("attributes.城市 = 北京", Comparison("attributes", FieldKind.ATTRIBUTE, "=", "北京", "城市")),
        ('attributes."a b" : x', Comparison("attributes", FieldKind.ATTRIBUTE, ":", "x", "a b")),
        ("attributes.k:*", Comparison("attributes", FieldKind.ATTRIBUTE, ":", None, "k")),
        ('attributes.k:"*"', Comparison("attributes", FieldKind.ATTRIBUTE, ":", "*", "k")),
        ("region_code = CN", A),
        ("type:mobile", Comparison("type", FieldKind.WORD, "=", 1)),
        ("number_type != VOIP", Comparison("type", FieldKind.WORD, "!=", 6)),
        ("type:*", Comparison("type", FieldKind.WORD, ":", None)),
        ("name:*", text("name", None, ":")),
        ("create_time:*", Comparison("create_time", FieldKind.TIME, ":", None)),
        (
            'create_time : "2026-01-02"',
            Comparison("create_time", FieldKind.TIME, "=", datetime(2026, 1, 2, tzinfo=UTC)),
        ),
        (
            "create_time < 2026-01-02T08:30:00.123456789+08:00",
            Comparison("create_time", FieldKind.TIME, "<", datetime(2026, 1, 2, 0, 30, 0, 123456, tzinfo=UTC)),
        ),
        ("name = 12:30", text("name", "12:30")),
        ("张", ANYWHERE("张")),
        ("-'a b'", Negation(ANYWHERE("a b"))),
        ("-张 AND x", All((Negation(ANYWHERE("张")), ANYWHERE("x")))),
        ("(x OR region = CN)", Any((ANYWHERE("x"), A))),
    ],
)
def test_what_is_written_becomes_a_tree(written: str, tree: object) -> None:
    assert parse_filter(written) == tree


@pytest.mark.parametrize(
    ("written", "position"),
    [
        ("region", 6),
        ("region =", 8),
        ("region = CN name = x", 12),
        ("region > CN", 7),
        ("nothing = 1", 0),
        ("attributes = 1", 0),
        ("region = CN AND", 15),
        ("(region = CN", 12),
        ("region = CN)", 11),
        ('region = "CN', 9),
        ("type = MOBIL", 7),
        ("create_time > yesterday", 14),
        ("create_time > 0001-01-01T00:00:00+09:00", 14),
        ("create_time < '9999-12-31T23:59:59-05:00'", 14),
        ("create_time < 10000-01-01", 14),
        ("create_time < -infinity", 14),
        ("create_time = 2016-12-31T23:59:60Z", 14),
        ("x = 1", 0),
        ("'region' = CN", 0),
        ("region = CN AND OR x", 16),
        ("attributes.", 11),
        ("attributes.k", 12),
        ("attributes. x", 13),
        ("region = CN OR AND", 15),
        ("= CN", 0),
        ("region = (", 9),
        ('name = "a\0b"', 7),
        ("(" * 60, 51),
        ("NOT " * 60 + "region = CN", 204),
        (" AND ".join(["name = x"] * 51), 650),
    ],
)
def test_an_unreadable_filter_is_refused_with_its_position(written: str, position: int) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_filter(written)
    assert caught.value.reason is Reason.FILTER_INVALID
    assert caught.value.metadata == {"position": str(position)}


@settings(max_examples=1000)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["region", "=", '"', "(", ")", "AND", "OR", "NOT", "-", "name", ":", "*", "\\", "'", " ", "1"]
            ),
            max_size=30,
        ).map(" ".join),
    )
)
def test_any_text_is_read_or_refused(written: str) -> None:
    refused: InvalidArgument | None = None
    try:
        parse_filter(written)
    except InvalidArgument as error:
        refused = error
    if refused is not None:
        assert refused.reason is Reason.FILTER_INVALID
        assert 0 <= int(refused.metadata["position"]) <= len(written)
