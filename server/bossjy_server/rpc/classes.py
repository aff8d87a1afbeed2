"""Classes of methods for limits: calls of one class cost alike. The class follows from the contract."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bossjy_server.rpc.method import Method


class CallClass(StrEnum):
    """A class of methods."""

    HEALTH = "health"  # probes: never limited
    PHONE = "phone"
    CONTACTS = "contacts"
    IMPORTS = "imports"
    LOGIN = "login"  # public methods that hash a password: login, registration
    AUTH = "auth"  # methods for a user's own account: refresh, their sessions
    ADMIN = "admin"  # users, keys, tenant, audit
    BULK = "bulk"  # every stream: long, and many rows at once
    OTHER = "other"


LIMITED = tuple(one for one in CallClass if one is not CallClass.HEALTH)

# By the area of the required scope: `contacts` of `contacts.read`.
_BY_AREA: Mapping[str, CallClass] = MappingProxyType(
    {
        "phone": CallClass.PHONE,
        "contacts": CallClass.CONTACTS,
        "imports": CallClass.IMPORTS,
        "users": CallClass.ADMIN,
        "keys": CallClass.ADMIN,
        "tenants": CallClass.ADMIN,
        "audit": CallClass.ADMIN,
    }
)
# A flood of these must not take the slots of people who are logged in.
_BY_PATH: Mapping[str, CallClass] = MappingProxyType(
    {
        "/bossjy.auth.v1.AuthService/Login": CallClass.LOGIN,
        "/bossjy.auth.v1.AuthService/Register": CallClass.LOGIN,
    }
)
# Methods without a scope.
_BY_SERVICE: Mapping[str, CallClass] = MappingProxyType(
    {"grpc.health.v1.Health": CallClass.HEALTH, "bossjy.auth.v1.AuthService": CallClass.AUTH}
)


def class_of(method: Method) -> CallClass:
    """The class of a method."""
    known = _BY_SERVICE.get(method.service)
    if known is CallClass.HEALTH:
        return known
    area = method.access.scope.partition(".")[0]
    if area and (method.server_streaming or method.client_streaming):
        return CallClass.BULK
    return _BY_AREA.get(area) or _BY_PATH.get(method.path) or known or CallClass.OTHER
