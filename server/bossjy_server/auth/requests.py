"""Fields of AuthService requests and their calls, checked for meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from bossjy_numbering import RegionHints
from bossjy_numbering.regions import NON_GEOGRAPHIC, region_codes
from bossjy_server.auth import convert
from bossjy_server.auth.login.sessions import Client
from bossjy_server.context import Caller, current_call, current_caller
from bossjy_server.errors import InvalidArgument, PermissionDenied, Reason, Violation
from bossjy_server.scopes import Role

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
# The form of our ids (accounts.tenant_id_for), without a run of digits that may be a phone number.
_TENANT = re.compile(r"(?!.*\d(?:-?\d){6})[a-z0-9-]{1,33}-[a-km-np-z2-9]{6}")
_REGIONS = frozenset(region_codes()) - {NON_GEOGRAPHIC}
_HINTS = RegionHints()
_NAME_MAX_CHARS = 200
_LANGUAGE_MAX_CHARS = 35


def caller_with_session() -> Caller:
    """The caller, who must have logged in: an API key is not a person. Raises PermissionDenied."""
    caller = current_caller()
    if not caller.session_id:
        raise PermissionDenied(
            Reason.SCOPE_MISSING,
            "this method is only for users who have logged in, not for API keys",
            metadata={"scope": "session", "cause": "SESSION_REQUIRED"},
        )
    return caller


def client_of(device_name: str) -> Client:
    """The origin of the call."""
    call = current_call()
    # Validation does not cover metadata, and PostgreSQL stores no U+0000.
    return Client(device_name, call.user_agent.replace("\0", ""), call.address)


def note(event: str, **fields: str | int) -> None:
    """Add an event to the call's log line: ids and counts, never names, addresses or secrets."""
    current_call().log.update(fields, auth_event=event)


def note_attempt(event: str, tenant_id: str) -> None:
    """Note an attempt, with the tenant if the text has the form of one: people type other things by mistake."""
    note(event, **({"tenant_id": tenant_id} if _TENANT.fullmatch(tenant_id) else {}))


def chosen(resource: Message, mask: FieldMask, allowed: Sequence[str], *, empty_name: bool = True) -> dict[str, Any]:
    """The fields that an update changes: those of the mask, or all non-empty ones if the mask is empty.

    Raises InvalidArgument for a mask with another field, or a name that is too long or, where not allowed, empty.
    """
    for path in mask.paths:
        if path not in allowed:
            raise _invalid("update_mask", f"may name {', '.join(allowed)}")
    names = mask.paths or [name for name in allowed if getattr(resource, name)]
    values = {name: getattr(resource, name) for name in names}
    if "display_name" in values and not values["display_name"] and not empty_name:
        raise _invalid("display_name", "must not be empty")
    if len(values.get("display_name", "")) > _NAME_MAX_CHARS:
        raise _invalid("display_name", f"has more than {_NAME_MAX_CHARS} characters")
    return values


def tag(language: str | None) -> str | None:
    """A language as a BCP 47 tag, '' or None. Raises InvalidArgument(LANGUAGE_UNKNOWN)."""
    if language and (len(language) > _LANGUAGE_MAX_CHARS or not _LANGUAGE.fullmatch(language)):
        raise InvalidArgument(
            Reason.LANGUAGE_UNKNOWN, "the language is not a BCP 47 tag: use for example en, zh, zh-Hant"
        )
    return language


def time_of(request: Message, field: str) -> datetime | None:
    """A time of the request in UTC; None if it is unset. Raises InvalidArgument for an invalid time."""
    if not request.HasField(field):
        return None
    try:
        time: datetime = getattr(request, field).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid(field, "is not a time between the years 1 and 9999") from error
    return time


def role(number: int | None) -> Role | None:
    """A role by its number in the contract, or None. Raises InvalidArgument for an unknown number."""
    if number is None:
        return None
    try:
        return convert.role_of(number)
    except ValueError as error:
        raise _invalid("user.role", "is not a role") from error


def region(code: str | None) -> str | None:
    """A region of the numbering plan, '' or None. Raises InvalidArgument."""
    if code and code not in _REGIONS:
        meant = _HINTS.region(code)  # `86`, `CHN` and `China` name a region, and its code is what the caller needs
        such = f": use {meant}" if meant else " in capitals, such as CN or DE"
        raise _invalid("default_region", f"must be a region of the numbering plan{such}")
    return code


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(Reason.INVALID_FIELD, f"{field} {description}", violations=[Violation(field, description)])
