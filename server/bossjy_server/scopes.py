"""Roles and their scopes: the comment of `bossjy.auth.v1.Role`, as code."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """The role of a user, as written in the database."""

    SERVICE = "service"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Place in the order of roles; equals the number in the contract."""
        return _RANKS[self]


_RANKS = {role: number for number, role in enumerate(Role, start=1)}

_WORK = frozenset({"phone.read", "phone.lookup", "contacts.read", "contacts.write", "imports.read", "imports.write"})
_ADMINISTER = frozenset(
    {
        "users.read",
        "users.write",
        "keys.read",
        "keys.write",
        "audit.read",
        "contacts.erase",
        "imports.revert",
        "tenants.read",
    }
)
_SCOPES: dict[Role, frozenset[str]] = {
    Role.SERVICE: _WORK,
    Role.MEMBER: _WORK,
    Role.ADMIN: _WORK | _ADMINISTER,
    Role.OWNER: _WORK | _ADMINISTER | {"tenants.write"},
}

ALL_SCOPES = _SCOPES[Role.OWNER]


def scopes_of(role: str) -> frozenset[str]:
    """The scopes of a role. Raises ValueError for a text that is not a role."""
    return _SCOPES[Role(role)]


def scope_text(scopes: Iterable[str]) -> str:
    """Scopes in the form of a token: sorted, one space between (RFC 8693)."""
    return " ".join(sorted(scopes))
