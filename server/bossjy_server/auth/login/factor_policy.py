"""Policy of the required second factor, by role (a setting) or by tenant."""

from __future__ import annotations

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.records import User
from bossjy_server.scopes import FACTOR_DUE, PASSWORD_DUE, Role, scopes_of


def second_factor_required(user: User, options: AuthOptions) -> bool:
    """True if the user must have a second factor. A service needs none: it has nobody to type a code."""
    asked = user.tenant_asks_factor or user.role.value in options.second_factor_roles
    return asked and user.role is not Role.SERVICE


def second_factor_due(user: User, options: AuthOptions) -> bool:
    """True if the user must have a second factor and has none yet."""
    return not user.second_factor and second_factor_required(user, options)


def session_scopes(user: User, options: AuthOptions) -> frozenset[str]:
    """The scopes of a session: those of the role, or none until password and second factor meet the rules."""
    return frozenset() if session_duty(user, options) else scopes_of(user.role)


def session_duty(user: User, options: AuthOptions) -> str:
    """The duty of the user before sessions have scopes; '' if there is none."""
    if user.password_change_required:
        return PASSWORD_DUE
    return FACTOR_DUE if second_factor_due(user, options) else ""
