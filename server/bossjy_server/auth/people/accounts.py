"""Registration of tenants, and the caller's own account and password."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bossjy_server.auth import store
from bossjy_server.auth.authority_changes import changing
from bossjy_server.auth.credentials import apikey_store, token_format
from bossjy_server.auth.credentials.tokens import refused
from bossjy_server.auth.login import session_store
from bossjy_server.auth.login.factor_policy import second_factor_due
from bossjy_server.auth.login.revocations import Revocations
from bossjy_server.auth.login.sessions import Client, Sessions, Tokens
from bossjy_server.auth.login.throttle import Throttle
from bossjy_server.auth.mail_addresses import check_email
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.people.registration import Registration
from bossjy_server.auth.records import ApiKey, Tenant, User, to_datetime
from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.scopes import Role
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.driver_errors import UniqueViolation
from bossjy_server.storage.postgres import Database

_SUFFIX = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: people read tenant ids to each other
_SUFFIX_CHARS = 6
_SLUG_MAX_CHARS = 30
_ID_TRIES = 5
_NUMBER = re.compile(r"\d(?:\W{0,3}\d){6,}")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """The fields of a registration."""

    display_name: str
    email: str = field(repr=False)
    password: str = field(repr=False)
    owner_name: str = field(repr=False)
    registration_token: str = field(repr=False)


class Accounts:
    """Tenants, and a user's own account."""

    def __init__(  # noqa: PLR0913 - its collaborators
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
        tenant_changed: Callable[[str], None],
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
        self._tenant_changed = tenant_changed
        self._clock = clock

    async def register(self, new: NewTenant, client: Client) -> tuple[Tenant, User, Tokens]:
        """Create a tenant, its owner and a first session, all or nothing.

        Raises PermissionDenied(REGISTRATION_CLOSED), InvalidArgument: INVALID_FIELD for the mail address,
        PASSWORD_REFUSED; ResourceExhausted(OVERLOADED).
        """
        check_email(new.email)
        with self._passwords.slot() as slot:
            await self._registration.check(new.registration_token)
            self._rules.check(new.password, [new.email, new.display_name, new.owner_name])
            password_hash = await slot.hash(new.password)
        tries_left = _ID_TRIES
        while True:
            tries_left -= 1
            try:
                return await self._register_as(tenant_id_for(new.display_name), new, password_hash, client)
            except UniqueViolation:  # the id exists already: one chance in a thousand million
                if not tries_left:
                    raise

    async def _register_as(
        self, tenant_id: str, new: NewTenant, password_hash: str, client: Client
    ) -> tuple[Tenant, User, Tokens]:
        now = to_datetime(self._clock())
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

    async def me(self, caller: Caller) -> tuple[User | ApiKey, Tenant]:
        """The caller, as a user or an API key, and the tenant. A key has no right to its maker's data."""
        tenant_id = caller.tenant_id
        async with self._database.tenant(tenant_id) as connection:
            if not caller.api_key_id:
                return await store.user_and_tenant(connection, tenant_id, caller.user_id)
            key = await apikey_store.find(connection, tenant_id, caller.api_key_id)
            if key is None:
                raise refused()
            return key, await store.tenant(connection, tenant_id)

    def factor_due(self, user: User) -> bool:
        """True if the user must set up a second factor before their sessions have scopes."""
        return second_factor_due(user, self._options)

    async def tenant(self, caller: Caller) -> Tenant:
        """The caller's tenant."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.tenant(connection, caller.tenant_id)

    async def update_tenant(
        self,
        caller: Caller,
        display_name: str | None,
        default_region: str | None,
        second_factor_required: bool | None = None,  # noqa: FBT001 - a value of the tenant
    ) -> Tenant:
        """Change the caller's tenant. None leaves a field unchanged."""
        async with changing(self._database, caller) as (connection, _):
            now = to_datetime(self._clock())
            detail = {None: "", True: "second factor required", False: "second factor not required"}
            await record(
                connection,
                caller.tenant_id,
                "auth.update_tenant",
                resource=caller.tenant_id,
                detail=detail[second_factor_required],
            )
            tenant = await store.update_tenant(
                connection,
                caller.tenant_id,
                now,
                display_name=display_name,
                default_region=default_region,
                second_factor_required=second_factor_required,
            )
        self._tenant_changed(caller.tenant_id)
        return tenant

    async def update_me(self, caller: Caller, display_name: str | None, language: str | None) -> User:
        """Change the caller's own name or language. None leaves a field unchanged."""
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            user = await store.user(connection, caller.tenant_id, caller.user_id)
            now = to_datetime(self._clock())
            return await store.update_user(connection, user, now, display_name=display_name, language=language)

    async def change_password(self, caller: Caller, current: str, new: str, address: str, *, end_others: bool) -> int:
        """Set a new password for the caller. Returns the number of other sessions that ended.

        The change takes effect only if session, role and current password are unchanged at commit. A concurrent reset,
        disabling or other change wins.

        Raises Unauthenticated(LOGIN_REFUSED) for a wrong current password, PermissionDenied for a service,
        InvalidArgument(PASSWORD_REFUSED), ResourceExhausted: LOGIN_THROTTLED, OVERLOADED.
        """
        if caller.role == Role.SERVICE:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "a service cannot change its password: ask an administrator to call ResetPassword",
                metadata={"scope": "users.write", "cause": "ROLE_TOO_LOW", "role": caller.role},
            )
        # The thief of an access token must not be able to guess the password with it, so this counts like a login.
        with self._passwords.slot() as slot:
            async with self._throttle.attempt(caller.tenant_id, caller.user_id, address):
                async with self._database.tenant(caller.tenant_id) as connection:
                    account = await store.account(connection, caller.tenant_id, caller.user_id)
                    tenant = await store.tenant(connection, caller.tenant_id)
                if not (await slot.verify(account.password_hash, current)).right:
                    raise Unauthenticated(Reason.LOGIN_REFUSED, "the current password is wrong")
            names = [account.user.email, account.user.display_name, tenant.display_name, tenant.tenant_id]
            self._rules.check(new, names, field="new_password")
            password_hash = await slot.hash(new)
        ended: list[str] = []
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            user = await store.user(connection, caller.tenant_id, caller.user_id)
            # Do not compare the hash: a login may have rehashed the same password with other settings.
            if user.password_time != account.user.password_time:
                raise Unauthenticated(
                    Reason.LOGIN_REFUSED, "the current password is wrong: it was changed in the meantime"
                )
            now = to_datetime(self._clock())
            await store.update_password(connection, account.user, password_hash, must_change=False, now=now)
            await record(connection, caller.tenant_id, "auth.change_password", resource=caller.user_id)
            if end_others:
                ended = await session_store.end_all(
                    connection, caller.tenant_id, caller.user_id, now, keep=caller.session_id
                )
        await self._revocations.end(ended)
        return len(ended)


def new_user(tenant_id: str, email: str, display_name: str, role: Role, now: datetime) -> User:
    """A new user, not stored yet, who must change the password at the first login."""
    return User(
        tenant_id=tenant_id,
        user_id=token_format.random_id(),
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
    """A tenant id: the name and six random characters, for example `acme-ltd-x7k2p9` for `Acme Ltd.`."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode().lower()
    # The id is logged with each call of the tenant, so it must not contain a phone number from the name.
    plain = _NUMBER.sub(" ", plain)
    words = "".join(char if char.isalnum() else " " for char in plain).split()
    slug = "-".join(words)[:_SLUG_MAX_CHARS].strip("-") or "tenant"
    return f"{slug}-{''.join(secrets.choice(_SUFFIX) for _ in range(_SUFFIX_CHARS))}"
