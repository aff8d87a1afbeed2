"""What the stores of auth give back: rows as frozen objects. Times are aware and UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bossjy_server.scopes import Role


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company that uses the service."""

    tenant_id: str
    display_name: str
    default_region: str
    calls_per_minute: int
    create_time: datetime


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
    password_time: datetime  # when the password was given
    revision: int
    create_time: datetime
    update_time: datetime
    last_login_time: datetime | None
    second_factor: bool = False  # whether a login needs a one-time code

    @property
    def active(self) -> bool:
        """Whether the user may log in."""
        return self.state == "active"

    @property
    def etag(self) -> str:
        """Changes with every change of the user."""
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


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a call safe to repeat: the caller's request id, and a hash of what it asked for."""

    request_id: str
    request_hash: bytes


def moment(unix_s: float) -> datetime:
    """Unix time in seconds as an aware time in UTC."""
    return datetime.fromtimestamp(unix_s, UTC)


def email_key(email: str) -> str:
    """What mail addresses are compared by: letter case does not count."""
    return email.strip().casefold()
