"""What an operator does beside the running service: the first owner of a tenant, and the signing keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bossjy_server.auth import store
from bossjy_server.auth.accounts import new_user, tenant_id_for
from bossjy_server.auth.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password_rules import PasswordRules
from bossjy_server.auth.passwords import Passwords
from bossjy_server.auth.records import Tenant, User, moment
from bossjy_server.auth.users import made_password
from bossjy_server.errors import AlreadyExists, Reason
from bossjy_server.scopes import Role
from bossjy_server.storage.postgres import Database, UniqueViolation


@dataclass(frozen=True, slots=True)
class NewOwner:
    """An owner. Empty `tenant_id`: of a new tenant named `tenant_name`. Empty `password`: one is made."""

    email: str = field(repr=False)
    tenant_name: str = ""
    tenant_id: str = ""
    display_name: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


async def create_owner(
    database: Database, new: NewOwner, options: AuthOptions, clock: Callable[[], float] = time.time
) -> tuple[User, str]:
    """Make an owner, and a tenant where none is named: all or nothing.

    Gives the user and the password that was made, '' where one was given. One that was made must be changed at the
    first login. Raises InvalidArgument(PASSWORD_REFUSED), NotFound for the tenant, AlreadyExists(USER_EXISTS).
    """
    if new.password:
        PasswordRules(options).check(new.password, [new.email, new.tenant_name, new.display_name])
    made = "" if new.password else made_password()
    passwords = Passwords(options)
    try:
        with passwords.place() as place:
            password_hash = await place.hash(new.password or made)
    finally:
        passwords.close()
    now = moment(clock())
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
    except UniqueViolation as error:
        text = "a user with this mail address exists in that tenant: choose another, or have the password reset"
        raise AlreadyExists(Reason.USER_EXISTS, text) from error
    return user, made


def key_lines(keys: Keys) -> list[str]:
    """A line for each signing key, the newest first: id, when it was made, what it does now."""
    signing = keys.signing
    published = keys.published()
    lines = []
    for key in keys.known():
        if key is signing:
            state = "signs"
        elif key not in published:
            state = "has ended: the next rotation removes it"
        elif key.created > signing.created:
            state = "is published, and signs soon"
        else:
            state = "verifies tokens that it signed"
        made = datetime.fromtimestamp(key.created, UTC).isoformat(timespec="seconds")
        lines.append(f"{key.kid}  made {made}  {state}")
    return lines
