"""Tenants and the caller's own account: register, read, change, new password."""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bossjy_server.auth import opaque, session_store, store
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password_rules import PasswordRules
from bossjy_server.auth.passwords import Passwords
from bossjy_server.auth.records import Tenant, User, moment
from bossjy_server.auth.registration import Registration
from bossjy_server.auth.revocations import Revocations
from bossjy_server.auth.sessions import Client, Sessions, Tokens
from bossjy_server.auth.throttle import Throttle
from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.scopes import Role
from bossjy_server.storage.audit import record
from bossjy_server.storage.postgres import Database, UniqueViolation

_SUFFIX = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: people read tenant ids to each other
_SUFFIX_CHARS = 6
_SLUG_MAX_CHARS = 30
_ID_TRIES = 5


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What a registration asks for."""

    display_name: str
    email: str = field(repr=False)
    password: str = field(repr=False)
    owner_name: str = field(repr=False)
    registration_token: str = field(repr=False)


class Accounts:
    """Tenants, and what a user may do with the own account."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        *,
        database: Database,
        sessions: Sessions,
        passwords: Passwords,
        rules: PasswordRules,
        registration: Registration,
        throttle: Throttle,
        revocations: Revocations,
        options: AuthOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._rules = rules
        self._registration = registration
        self._throttle = throttle
        self._revocations = revocations
        self._options = options
        self._clock = clock

    async def register(self, new: NewTenant, client: Client) -> tuple[Tenant, User, Tokens]:
        """Make a tenant, its owner and a first session: all or nothing.

        Raises PermissionDenied(REGISTRATION_CLOSED), InvalidArgument(PASSWORD_REFUSED),
        ResourceExhausted(OVERLOADED).
        """
        with self._passwords.place() as place:
            await self._registration.check(new.registration_token)
            self._rules.check(new.password, [new.email, new.display_name, new.owner_name])
            password_hash = await place.hash(new.password)
        tries_left = _ID_TRIES
        while True:
            tries_left -= 1
            try:
                return await self._register_as(tenant_id_for(new.display_name), new, password_hash, client)
            except UniqueViolation:  # the id is taken: one in a thousand million
                if not tries_left:
                    raise

    async def _register_as(
        self, tenant_id: str, new: NewTenant, password_hash: str, client: Client
    ) -> tuple[Tenant, User, Tokens]:
        now = moment(self._clock())
        tenant = Tenant(tenant_id, new.display_name, "", self._options.tenant_calls_per_minute, now)
        user = new_user(tenant_id, new.email, new.owner_name, Role.OWNER, now)
        user = replace(user, password_change_required=False, last_login_time=now)
        async with self._database.tenant(tenant_id) as connection:
            await self._registration.use(connection, new.registration_token, now)
            await store.insert_tenant(connection, tenant)
            await store.insert_user(connection, user, password_hash)
            session, _ = await self._sessions.open(connection, user, client)
            await record(connection, tenant_id, "auth.register", resource=tenant_id, actor=user.user_id)
        return tenant, user, self._sessions.tokens_of(session, user)

    async def me(self, caller: Caller) -> tuple[User, Tenant]:
        """The caller's user (for an API key: its maker) and tenant."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.user_and_tenant(connection, caller.tenant_id, caller.user_id)

    async def tenant(self, caller: Caller) -> Tenant:
        """The caller's tenant."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.tenant(connection, caller.tenant_id)

    async def update_tenant(self, caller: Caller, display_name: str | None, default_region: str | None) -> Tenant:
        """Change the caller's tenant; None leaves a field alone."""
        async with self._database.tenant(caller.tenant_id) as connection:
            now = moment(self._clock())
            await record(connection, caller.tenant_id, "auth.update_tenant", resource=caller.tenant_id)
            return await store.update_tenant(connection, caller.tenant_id, display_name, default_region, now)

    async def update_me(self, caller: Caller, display_name: str | None, language: str | None) -> User:
        """Change the caller's own name or language; None leaves a field alone."""
        async with self._database.tenant(caller.tenant_id) as connection:
            user = await store.user(connection, caller.tenant_id, caller.user_id)
            now = moment(self._clock())
            return await store.update_user(connection, user, now, display_name=display_name, language=language)

    async def change_password(self, caller: Caller, current: str, new: str, address: str, *, end_others: bool) -> int:
        """Give the caller a new password; gives how many other sessions ended.

        Raises Unauthenticated(LOGIN_REFUSED) when the current one is wrong, PermissionDenied for a service,
        InvalidArgument(PASSWORD_REFUSED), ResourceExhausted: LOGIN_THROTTLED, OVERLOADED.
        """
        if caller.role == Role.SERVICE:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "a service does not change its password: ask an administrator for ResetPassword",
                metadata={"scope": "users.write"},
            )
        # Who has stolen an access token must not find the password with it, so this counts as a login does.
        with self._passwords.place() as place:
            async with self._throttle.attempt(caller.tenant_id, caller.user_id, address):
                async with self._database.tenant(caller.tenant_id) as connection:
                    account = await store.account(connection, caller.tenant_id, caller.user_id)
                    tenant = await store.tenant(connection, caller.tenant_id)
                if not (await place.verify(account.password_hash, current)).right:
                    raise Unauthenticated(Reason.LOGIN_REFUSED, "the current password is wrong")
            names = [account.user.email, account.user.display_name, tenant.display_name, tenant.tenant_id]
            self._rules.check(new, names, field="new_password")
            password_hash = await place.hash(new)
        ended: list[str] = []
        async with self._database.tenant(caller.tenant_id) as connection:
            now = moment(self._clock())
            await store.update_password(connection, account.user, password_hash, must_change=False, now=now)
            await record(connection, caller.tenant_id, "auth.change_password", resource=caller.user_id)
            if end_others:
                ended = await session_store.end_all(
                    connection, caller.tenant_id, caller.user_id, now, keep=caller.session_id
                )
        await self._revocations.end(ended)
        return len(ended)


def new_user(tenant_id: str, email: str, display_name: str, role: Role, now: datetime) -> User:
    """A user that is not kept yet, who must change the password at the first login."""
    return User(
        tenant_id=tenant_id,
        user_id=opaque.random_id(),
        email=email,
        display_name=display_name,
        language="",
        role=role,
        state="active",
        password_change_required=True,
        password_time=now,
        revision=1,
        create_time=now,
        update_time=now,
        last_login_time=None,
    )


def tenant_id_for(display_name: str) -> str:
    """A tenant's id: name and six random characters, for example `acme-ltd-x7k2p9` for `Acme Ltd.`."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode().lower()
    words = "".join(char if char.isalnum() else " " for char in plain).split()
    slug = "-".join(words)[:_SLUG_MAX_CHARS].strip("-") or "tenant"
    return f"{slug}-{''.join(secrets.choice(_SUFFIX) for _ in range(_SUFFIX_CHARS))}"
