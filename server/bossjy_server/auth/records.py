"""Records of the auth stores: rows as frozen objects. Times are aware and UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bossjy_server.scopes import Role

_LATEST_S = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company that uses the service."""

    tenant_id: str
    display_name: str
    default_region: str
    calls_per_minute: int
    create_time: datetime
    second_factor_required: bool = False  # for every user but services
    # Limits that the operator set for this tenant. None: those of the server.
    streams_most: int | None = None
    open_imports_most: int | None = None
    users_most: int | None = None
    api_keys_most: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service of a tenant."""

    tenant_id: str
    user_id: str
    email: str = field(repr=False)
    display_name: str = field(repr=False)
    language: str
    role: Role
    state: str  # active, disabled
    password_change_required: bool
    password_time: datetime  # when the password was set
    revision: int
    create_time: datetime
    update_time: datetime
    last_login_time: datetime | None
    second_factor: bool = False  # true if a login needs a one-time code
    tenant_asks_factor: bool = False  # true if the tenant requires a second factor

    @property
    def active(self) -> bool:
        """True if the user may log in."""
        return self.state == "active"

    @property
    def etag(self) -> str:
        """A value that changes with every change of the user."""
        return f"r{self.revision}"


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the hash of the password."""

    user: User
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A login."""

    tenant_id: str
    session_id: str
    user_id: str
    device_name: str
    user_agent: str
    address: str
    refresh_seed: bytes = field(repr=False)
    generation: int
    rotate_time: datetime
    refresh_expire_time: datetime
    create_time: datetime
    last_use_time: datetime
    expire_time: datetime
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived credential of a service, without its secret."""

    api_key_id: str
    display_name: str
    scopes: frozenset[str]
    created_by: str
    create_time: datetime
    expire_time: datetime
    last_use_time: datetime | None
    parent_key_id: str | None = None  # the key that created it, and with which it ends


@dataclass(frozen=True, slots=True)
class Request:
    """The identity of a repeatable call: the caller's request id, and a hash of the request."""

    request_id: str
    request_hash: bytes


def to_datetime(unix_s: float) -> datetime:
    """Unix time in seconds as an aware time in UTC, at most the end of the year 9999."""
    # A float rounds the last microseconds of that year up, beyond the calendar.
    return datetime.fromtimestamp(min(unix_s, _LATEST_S), UTC)
