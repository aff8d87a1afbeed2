"""Client certificates bound to service accounts by the operator, outside the running service.

Only the operator binds: anyone who could choose a name freely could take over another tenant's program. A binding is an
API key without a secret. It is listed, ended and audited like one, and ends with its user.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bossjy_server.auth import store
from bossjy_server.auth.credentials import apikey_store, certificate_store, token_format
from bossjy_server.auth.credentials.certificate_store import Bound
from bossjy_server.auth.records import ApiKey
from bossjy_server.errors import InvalidArgument, NotFound, Reason
from bossjy_server.scopes import Role, scopes_of
from bossjy_server.storage.audit import record
from bossjy_server.storage.postgres import Database

_ACTOR = "operator"


@dataclass(frozen=True, slots=True)
class NewBinding:
    """A name in certificates, and the service user to bind it to."""

    name: str
    tenant_id: str
    user_id: str
    scopes: frozenset[str]
    days: int


async def may_bind(database: Database) -> bool:
    """True if `database` has the rights that the functions below need."""
    async with database.system() as connection:
        return await certificate_store.may_write(connection)


async def bind(database: Database, new: NewBinding, clock: Callable[[], float] = time.time) -> ApiKey:
    """Bind a certificate to a service account. `database` has the rights of the tables' owner.

    Raises InvalidArgument for a user who is not an active service, a scope that services lack, or a bound name;
    NotFound for tenant or user.
    """
    lacking = sorted(new.scopes - scopes_of(Role.SERVICE))
    if lacking or not new.scopes:
        raise _refused(f"a service can have the scopes {', '.join(sorted(scopes_of(Role.SERVICE)))}: name some of them")
    now = datetime.fromtimestamp(clock(), UTC)
    end = now + timedelta(days=new.days)
    key = ApiKey(token_format.random_id(), new.name, new.scopes, new.user_id, now, end, None)
    async with database.tenant(new.tenant_id) as connection:
        await store.tenant(connection, new.tenant_id, lock=True)
        user = await store.user(connection, new.tenant_id, new.user_id)
        if user.role is not Role.SERVICE or not user.active:
            raise _refused(
                "a certificate can be bound only to an active user with the service role: create one with CreateUser"
            )
        # Nobody knows a secret whose hash is random bytes.
        await apikey_store.insert(connection, new.tenant_id, key, secrets.token_bytes(32), None)
        if not await certificate_store.insert(connection, Bound(new.name, new.tenant_id, key.api_key_id)):
            raise _refused("this name is bound already: run `bossjy-server services unbind` first")
        await record(connection, new.tenant_id, "auth.bind_certificate", resource=key.api_key_id, actor=_ACTOR)
    return key


async def unbind(database: Database, name: str, clock: Callable[[], float] = time.time) -> None:
    """End the key to which a name is bound, and delete the binding. Raises NotFound."""
    async with database.system() as connection:
        bound = await certificate_store.find(connection, name)
    if bound is None:
        raise NotFound(
            "certificate", message="this name is not bound: `bossjy-server services list` shows the bound names"
        )
    now = datetime.fromtimestamp(clock(), UTC)
    async with database.tenant(bound.tenant_id) as connection:
        await store.tenant(connection, bound.tenant_id, lock=True)
        await apikey_store.end(connection, bound.tenant_id, bound.api_key_id, now)
        await certificate_store.delete(connection, name)
        await record(connection, bound.tenant_id, "auth.unbind_certificate", resource=bound.api_key_id, actor=_ACTOR)


async def binding_lines(database: Database, clock: Callable[[], float] = time.time) -> list[str]:
    """A line for each binding, by name: tenant, user, scopes, and its expiry or that it has ended."""
    now = datetime.fromtimestamp(clock(), UTC)
    async with database.system() as connection:
        bindings = await certificate_store.all_bound(connection)
    lines = []
    for bound in bindings:
        async with database.tenant(bound.tenant_id) as connection:
            key = await apikey_store.for_check(connection, bound.tenant_id, bound.api_key_id, now)
        state = "has ended: unbind it"
        if key:
            state = f"{key.created_by}  {','.join(sorted(key.scopes))}  until {key.expire_time:%Y-%m-%d}"
        lines.append(f"{bound.name}  {bound.tenant_id}  {state}")
    return lines


def _refused(message: str) -> InvalidArgument:
    return InvalidArgument(Reason.INVALID_FIELD, message)
