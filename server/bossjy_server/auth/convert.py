"""Conversion of auth's records to messages of bossjy.auth.v1. No logic."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.auth.v1 import account_pb2
from bossjy_server.auth import records
from bossjy_server.auth.audit.audit_store import Event
from bossjy_server.auth.credentials.keys import SigningKey
from bossjy_server.auth.login.sessions import Tokens
from bossjy_server.scopes import Role

_STATES = {"active": account_pb2.USER_STATE_ACTIVE, "disabled": account_pb2.USER_STATE_DISABLED}


def timestamp(time: datetime | None) -> Timestamp | None:
    """A time as a message; None leaves it unset."""
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time)
    return message


def role_of(number: int) -> Role:
    """The role for a number of the contract. Raises ValueError for ROLE_UNSPECIFIED."""
    for role in Role:
        if role.rank == number:
            return role
    raise ValueError("not a role")


def role_message(role: Role) -> account_pb2.Role.ValueType:
    """The contract's number for a role."""
    return account_pb2.Role.Value(f"ROLE_{role.name}")


def tenant(record: records.Tenant) -> account_pb2.Tenant:
    """A tenant as a message."""
    return account_pb2.Tenant(
        tenant_id=record.tenant_id,
        display_name=record.display_name,
        default_region=record.default_region,
        calls_per_minute=record.calls_per_minute,
        create_time=timestamp(record.create_time),
        second_factor_required=record.second_factor_required,
    )


def user(record: records.User) -> account_pb2.User:
    """A user as a message."""
    return account_pb2.User(
        user_id=record.user_id,
        email=record.email,
        display_name=record.display_name,
        role=role_message(record.role),
        state=_STATES[record.state],
        language=record.language,
        second_factor=record.second_factor,
        create_time=timestamp(record.create_time),
        update_time=timestamp(record.update_time),
        last_login_time=timestamp(record.last_login_time),
        etag=record.etag,
    )


def audit_event(event: Event) -> account_pb2.AuditEvent:
    """An event of the audit log as a message."""
    return account_pb2.AuditEvent(
        event_id=event.event_id,
        event_time=timestamp(event.event_time),
        actor=event.actor,
        action=event.action,
        resource=event.resource,
        address=event.address,
        outcome=event.outcome,
        request_id=event.request_id,
        detail=event.detail,
        times=event.times,
    )


def tokens(record: Tokens) -> account_pb2.Tokens:
    """Tokens as a message."""
    return account_pb2.Tokens(
        access_token=record.access_token,
        access_expire_time=timestamp(record.access_expire_time),
        refresh_token=record.refresh_token,
        refresh_expire_time=timestamp(record.refresh_expire_time),
        session_id=record.session_id,
    )


def session(record: records.Session, current_id: str) -> account_pb2.Session:
    """A session as a message; `current_id` is the session of the call."""
    return account_pb2.Session(
        session_id=record.session_id,
        device_name=record.device_name,
        user_agent=record.user_agent,
        address=record.address,
        create_time=timestamp(record.create_time),
        last_use_time=timestamp(record.last_use_time),
        expire_time=timestamp(record.expire_time),
        current=record.session_id == current_id,
    )


def api_key(record: records.ApiKey) -> account_pb2.ApiKey:
    """An API key as a message, without its secret."""
    return account_pb2.ApiKey(
        api_key_id=record.api_key_id,
        display_name=record.display_name,
        scopes=sorted(record.scopes),
        created_by=record.created_by,
        create_time=timestamp(record.create_time),
        expire_time=timestamp(record.expire_time),
        last_use_time=timestamp(record.last_use_time),
        parent_api_key_id=record.parent_key_id or "",
    )


def jwk(key: SigningKey) -> account_pb2.Jwk:
    """The public half of a signing key as a message."""
    return account_pb2.Jwk(**key.jwk())
