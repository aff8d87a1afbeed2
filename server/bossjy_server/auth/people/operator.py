"""Operator commands outside the running service: the first owner of a tenant, and the signing keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bossjy_server.auth import store
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.mail_addresses import check_email
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.people.accounts import new_user, tenant_id_for
from bossjy_server.auth.people.users import made_password
from bossjy_server.auth.records import Tenant, User, to_datetime
from bossjy_server.errors import AlreadyExists, Reason
from bossjy_server.scopes import Role
from bossjy_server.storage.audit import record
from bossjy_server.storage.driver_errors import UniqueViolation
from bossjy_server.storage.postgres import Database

ACTOR = "operator"  # in the audit log


@dataclass(frozen=True, slots=True)
class NewOwner:
    """A new owner. If `tenant_id` is empty, of a new tenant `tenant_name`. If `password` is empty, one is generated."""

    email: str = field(repr=False)
    tenant_name: str = ""
    tenant_id: str = ""
    display_name: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


async def create_owner(
    database: Database, new: NewOwner, options: AuthOptions, clock: Callable[[], float] = time.time
) -> tuple[User, str]:
    """Create an owner, and a tenant if none is named, all or nothing.

    Returns the user and the generated password, '' if one was given. A generated one must be changed at the first
    login. Raises InvalidArgument(PASSWORD_REFUSED), NotFound for the tenant, AlreadyExists(USER_EXISTS).
    """
    check_email(new.email, field="--email")
    tenant_name = new.tenant_name
    if new.tenant_id:
        async with database.tenant(new.tenant_id) as connection:
            tenant_name = (await store.tenant(connection, new.tenant_id)).display_name
    if new.password:
        names = [new.email, tenant_name, new.tenant_id, new.display_name]
        PasswordRules(options).check(new.password, names)
    made = "" if new.password else made_password()
    passwords = Passwords(options)
    try:
        with passwords.slot() as slot:
            password_hash = await slot.hash(new.password or made)
    finally:
        passwords.close()
    now = to_datetime(clock())
    tenant_id = new.tenant_id or tenant_id_for(new.tenant_name)
    user = replace(
        new_user(tenant_id, new.email, new.display_name, Role.OWNER, now), password_change_required=bool(made)
    )
    try:
        async with database.tenant(tenant_id) as connection:
            if new.tenant_id:
                await store.tenant(connection, tenant_id, lock=True)
            else:
                tenant = Tenant(tenant_id, new.tenant_name, "", options.tenant_calls_per_minute, now)
                await store.insert_tenant(connection, tenant)
            await store.insert_user(connection, user, password_hash)
            await record(
                connection, tenant_id, "auth.create_owner", resource=user.user_id, actor=ACTOR, detail=Role.OWNER.value
            )
    except UniqueViolation as error:
        text = "a user with this mail address exists in that tenant: choose another, or reset the password"
        raise AlreadyExists(Reason.USER_EXISTS, text) from error
    return user, made


def key_lines(keys: Keys) -> list[str]:
    """A line for each signing key, newest first: id, creation time, current use."""
    signing = keys.signing
    published = keys.published()
    lines = []
    for key in keys.known():
        if key is signing:
            state = "signs"
        elif key not in published:
            state = "has ended: the next rotation removes it"
        elif key.created > signing.created:
            state = "is published and will sign soon"
        else:
            state = "verifies tokens that it signed"
        made = datetime.fromtimestamp(key.created, UTC).isoformat(timespec="seconds")
        lines.append(f"{key.kid}  made {made}  {state}")
    return lines
