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
        """Position in the order of roles; equals the number in the contract."""
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

# Duties of a user before sessions have scopes, as access tokens name them.
PASSWORD_DUE, FACTOR_DUE = "password", "second_factor"

ALL_SCOPES = _SCOPES[Role.OWNER]


def scopes_of(role: str) -> frozenset[str]:
    """The scopes of a role. Raises ValueError for a text that is not a role."""
    return _SCOPES[Role(role)]


def why_missing(scope: str, role: str, *, by_key: bool, due: str = "") -> tuple[str, dict[str, str]]:
    """The message and metadata of SCOPE_MISSING: the missing scope and its cause.

    `role` is that of the caller, or of the user who made the API key. `due`: PASSWORD_DUE or FACTOR_DUE if the session
    has no scopes for that reason. The contract lists the causes.
    """
    roles = " or ".join(one.value for one in _RANKS if scope in _SCOPES[one])
    if due == PASSWORD_DUE:
        cause = "PASSWORD_CHANGE_REQUIRED"
        text = f"the scope {scope} needs a new password: call ChangePassword, then RefreshToken (`bossjy password`)"
    elif due == FACTOR_DUE:
        cause = "SECOND_FACTOR_REQUIRED"
        text = (
            f"the scope {scope} needs a second factor: call BeginSecondFactor, ConfirmSecondFactor, then RefreshToken "
            "(`bossjy second-factor enrol`)"
        )
    elif scope not in _SCOPES[Role(role)]:
        cause = "ROLE_TOO_LOW"
        who = "the user who made this API key has" if by_key else "you have"
        text = f"{who} the role {role}, which lacks the scope {scope}: ask an administrator for the role {roles}"
    elif by_key:
        cause = "KEY_WITHOUT_SCOPE"
        text = f"this API key lacks the scope {scope}: create a key that has it (`bossjy keys create --scope {scope}`)"
    else:
        cause = "SESSION_WITHOUT_SCOPE"
        text = f"this access token lacks the scope {scope}, which your role has: call RefreshToken, or log in again"
    return text, {"scope": scope, "cause": cause, "role": role}


def scope_text(scopes: Iterable[str]) -> str:
    """Scopes in the form of a token: sorted, one space between (RFC 8693)."""
    return " ".join(sorted(scopes))
