"""Filterable fields of users and audit events, and their columns."""

from __future__ import annotations

from bossjy_server.auth.mail_addresses import email_key
from bossjy_server.scopes import Role
from bossjy_server.storage.filters import FieldKind, Filter, Vocabulary, parse_filter

_USERS = Vocabulary(
    {
        "role": FieldKind.WORD,
        "state": FieldKind.WORD,
        "email": FieldKind.TEXT,
        "display_name": FieldKind.TEXT,
        "create_time": FieldKind.TIME,
    },
    {"role": {role.value: role.value for role in Role}, "state": {"active": "active", "disabled": "disabled"}},
    searched=("email", "display_name"),
    # Addresses compare as at a login.
    folded={"email": email_key},
)
USER_COLUMNS = {
    "role": "role",
    "state": "state",
    "email": "email_key",
    "display_name": "display_name",
    "create_time": "create_time",
}

_EVENTS = Vocabulary(
    {
        "actor": FieldKind.TEXT,
        "action": FieldKind.TEXT,
        "resource": FieldKind.TEXT,
        "outcome": FieldKind.TEXT,
        "event_time": FieldKind.TIME,
    },
    {},
    searched=("actor", "action", "resource"),
)
EVENT_COLUMNS = {name: name for name in _EVENTS.fields}


def parse_users(text: str) -> Filter | None:
    """The tree of a filter of users; None for an empty one. Raises InvalidArgument(FILTER_INVALID)."""
    return parse_filter(text, _USERS)


def parse_events(text: str) -> Filter | None:
    """The tree of a filter of audit events; None for an empty one. Raises InvalidArgument(FILTER_INVALID)."""
    return parse_filter(text, _EVENTS)
