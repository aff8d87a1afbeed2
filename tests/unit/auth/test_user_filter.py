from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bossjy_server.auth.user_filter import Term, parse
from bossjy_server.errors import InvalidArgument, Reason


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("   ", []),
        ('role = "admin"', [Term("role", "=", "admin")]),
        ("role!=OWNER", [Term("role", "!=", "owner")]),
        (
            'state = "active"  AND email = "Ann@X.y"',
            [Term("state", "=", "active"), Term("email_key", "=", "ann@x.y")],
        ),
        ('email = "a\\"b"', [Term("email_key", "=", 'a"b')]),
        (
            "create_time >= 2026-01-31T00:00:00Z",
            [Term("create_time", ">=", datetime(2026, 1, 31, tzinfo=UTC))],
        ),
        ('create_time < "2026-01-31"', [Term("create_time", "<", datetime(2026, 1, 31, tzinfo=UTC))]),
    ],
)
def test_a_filter_is_read(text: str, terms: list[Term]) -> None:
    assert parse(text) == terms


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("role", 0),
        ("role = god", 0),
        ("role < admin", 0),
        ("password_hash = x", 0),
        ("role = admin OR role = owner", 13),
        ("role = admin AND", 16),
        ("role = admin AND state = gone", 17),
        ("create_time > yesterday", 0),
        ("create_time > 0001-01-01T00:00:00+14:00", 0),
        ('email = "a\0b"', 0),
        ("role = admin; DROP TABLE users", 0),
        (" AND ".join(["role = admin"] * 21), 340),
    ],
)
def test_what_cannot_be_read_says_where(text: str, position: int) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(text)
    assert caught.value.reason is Reason.FILTER_INVALID
    assert caught.value.metadata["position"] == str(position)
