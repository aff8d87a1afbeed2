"""Filters of users and audit events: their fields, in the grammar of all lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bossjy_server.auth.filters import EVENT_COLUMNS, USER_COLUMNS, parse_events, parse_users
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.storage.filters import All, Any, Comparison, FieldKind, Filter, Negation


def word(field: str, value: str, operator: str = "=") -> Comparison:
    return Comparison(field, FieldKind.WORD, operator, value)


def text(field: str, value: str | None, operator: str = "=") -> Comparison:
    return Comparison(field, FieldKind.TEXT, operator, value)


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("", None),
        ("   ", None),
        ('role = "admin"', word("role", "admin")),
        ("role!=OWNER", word("role", "owner", "!=")),
        ("role : member", word("role", "member")),
        ("state = 'active'  AND email = \"Ann@X.y\"", All((word("state", "active"), text("email", "ann@x.y")))),
        ('email = "a\\"b"', text("email", 'a"b')),
        ("NOT email:X.y", Negation(text("email", "x.y", ":"))),
        ("display_name:*", text("display_name", None, ":")),
        ("Ann", Any((text("email", "ann", ":"), text("display_name", "Ann", ":")))),
        (
            "create_time >= 2026-01-31T00:00:00Z",
            Comparison("create_time", FieldKind.TIME, ">=", datetime(2026, 1, 31, tzinfo=UTC)),
        ),
    ],
)
def test_a_filter_of_users_is_read(written: str, tree: Filter | None) -> None:
    assert parse_users(written) == tree


@pytest.mark.parametrize(
    ("parse", "written", "position"),
    [
        (parse_users, "role", 4),
        (parse_users, "role = god", 7),
        (parse_users, "role < admin", 5),
        (parse_users, "password_hash = x", 0),
        (parse_users, "email_key = x", 0),
        (parse_users, "role = admin; DROP TABLE users", 7),
        (parse_events, "address = x", 0),
        (parse_events, "action > auth", 7),
        (parse_events, "event_time = soon", 13),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_with_its_position(
    parse: Callable[[str], Filter | None], written: str, position: int
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(written)
    assert caught.value.reason is Reason.FILTER_INVALID
    assert caught.value.metadata == {"position": str(position)}


def test_every_field_has_a_column() -> None:
    for parse, columns in ((parse_users, USER_COLUMNS), (parse_events, EVENT_COLUMNS)):
        for name in columns:
            parse(f"{name}:*")
