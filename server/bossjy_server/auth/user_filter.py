"""The filter of ListUsers (AIP-160): comparisons of `role`, `state`, `email`, `create_time`, joined by AND.

role = "admin" AND state = "active" AND create_time >= "2026-01-01T00:00:00Z"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from bossjy_server.auth.records import email_key
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.scopes import Role

_TERMS_MAX = 20
_TERM = re.compile(r'\s*([a-z_]+)\s*(!=|<=|>=|=|<|>)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"()]+))\s*')
_AND = re.compile(r"AND(?:\s+|$)")
_EQUALITY = ("=", "!=")
_ORDER = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison, checked: `column` and `operator` are from fixed lists, so they may stand in SQL."""

    column: str
    operator: str
    value: str | datetime


def parse(text: str) -> list[Term]:
    """The comparisons of a filter. Raises InvalidArgument(FILTER_INVALID) that says where."""
    terms: list[Term] = []
    position = 0
    while text.strip():
        match = _TERM.match(text, position)
        if match is None:
            raise _invalid('a comparison is expected, for example role = "admin"', position)
        if len(terms) == _TERMS_MAX:
            raise _invalid(f"at most {_TERMS_MAX} comparisons are taken", position)
        value = match[4] if match[3] is None else re.sub(r"\\(.)", r"\1", match[3])
        terms.append(_term(match[1], match[2], value, match.start(1)))
        position = match.end()
        if position == len(text):
            break
        joint = _AND.match(text, position)
        if joint is None:
            raise _invalid("AND is expected", position)
        position = joint.end()
    return terms


def _term(field: str, operator: str, value: str, position: int) -> Term:
    if field == "role" and operator in _EQUALITY and value.lower() in tuple(Role):
        return Term("role", operator, value.lower())
    if field == "state" and operator in _EQUALITY and value.lower() in ("active", "disabled"):
        return Term("state", operator, value.lower())
    if field == "email" and operator in _EQUALITY and "\0" not in value:
        return Term("email_key", operator, email_key(value))
    if field == "create_time" and operator in _ORDER:
        try:
            time = datetime.fromisoformat(value)
            time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise _invalid("create_time needs a time such as 2026-01-31T00:00:00Z", position) from error
        return Term("create_time", operator, time)
    raise _invalid("this field, comparison or value is not one that users are filtered by", position)


def _invalid(what: str, position: int) -> InvalidArgument:
    return InvalidArgument(
        Reason.FILTER_INVALID,
        f"the filter cannot be read at character {position}: {what}",
        metadata={"position": str(position)},
    )
