"""The audit log as an administrator reads it: pages, the newest first, by a filter (AIP-160)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bossjy_server.auth import audit_store
from bossjy_server.auth.audit_store import Event
from bossjy_server.context import Caller
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.storage.postgres import Database

_TERMS_MAX = 20
_TERM = re.compile(r'\s*(actor|action|outcome|event_time)\s*(!=|<=|>=|=|<|>)\s*"([^"\\\0]*)"\s*')
_AND = re.compile(r"AND\s+")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison, checked: `column` and `operator` are from fixed lists, so they may stand in SQL."""

    column: str
    operator: str
    value: str | datetime


class AuditLog:
    """Reads the audit log of a tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, caller: Caller, terms: Sequence[Term], before_id: str, limit: int) -> list[Event]:
        """At most `limit` events that fit all terms, the newest first, before the event `before_id`."""
        async with self._database.tenant(caller.tenant_id, long=bool(terms)) as connection:
            return await audit_store.list_events(connection, caller.tenant_id, terms, before_id, limit)


def parse(text: str) -> list[Term]:
    """The comparisons of a filter, joined by AND. Raises InvalidArgument(FILTER_INVALID) that says where."""
    terms: list[Term] = []
    position = 0
    while text.strip() and position < len(text):
        if terms:
            joint = _AND.match(text, position)
            if joint is None:
                raise _invalid("AND is expected", position)
            position = joint.end()
        match = _TERM.match(text, position)
        if match is None or len(terms) == _TERMS_MAX:
            raise _invalid('a comparison is expected, for example action = "auth.login"', position)
        terms.append(Term(match[1], match[2], _value(match[1], match[2], match[3], position)))
        position = match.end()
    return terms


def _value(field: str, operator: str, text: str, position: int) -> str | datetime:
    if field != "event_time":
        if operator not in ("=", "!="):
            raise _invalid(f"{field} is compared by = and !=", position)
        return text
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid("event_time needs a time such as 2026-01-31T00:00:00Z", position) from error


def _invalid(what: str, position: int) -> InvalidArgument:
    message = f"the filter cannot be read at character {position}: {what}"
    return InvalidArgument(Reason.FILTER_INVALID, message, metadata={"position": str(position)})
