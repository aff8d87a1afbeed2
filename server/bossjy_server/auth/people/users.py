"""User management by a tenant's administrators."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bossjy_server.auth import store
from bossjy_server.auth.authority_changes import changing, check_role
from bossjy_server.auth.credentials import apikey_store, token_format
from bossjy_server.auth.credentials.apikeys import ApiKeys
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.filters import parse_users
from bossjy_server.auth.login import second_factor_store, session_store
from bossjy_server.auth.login.revocations import Revocations
from bossjy_server.auth.mail_addresses import check_email
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.people import deletion_store
from bossjy_server.auth.people.accounts import new_user
from bossjy_server.auth.records import Request, User, to_datetime
from bossjy_server.context import Caller
from bossjy_server.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    PermissionDenied,
    Reason,
    ResourceExhausted,
)
from bossjy_server.scopes import Role
from bossjy_server.storage.audit import record
from bossjy_server.storage.driver_errors import UniqueViolation
from bossjy_server.storage.postgres import Connection, Database


@dataclass(frozen=True, slots=True)
class NewUser:
    """The fields of a new user. If `password` is empty, the server generates one."""

    email: str = field(repr=False)
    display_name: str = field(repr=False)
    role: Role
    password: str = field(repr=False)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of a user. None leaves a field unchanged. `etag`, if set, guards against concurrent changes."""

    display_name: str | None = field(default=None, repr=False)
    language: str | None = None
    role: Role | None = None
    etag: str = ""


class Users:
    """Creates, reads, changes, disables and enables users. Nobody may change a user with a higher role."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        passwords: Passwords,
        rules: PasswordRules,
        api_keys: ApiKeys,
        revocations: Revocations,
        options: AuthOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._passwords = passwords
        self._rules = rules
        self._api_keys = api_keys
        self._revocations = revocations
        self._options = options
        self._clock = clock

    async def create(self, caller: Caller, new: NewUser) -> tuple[User, str]:
        """Create a user. Returns the user and the generated password.

        The password is '' if the request contained one or this is a repeated call. Raises PermissionDenied for a role
        above the caller's, InvalidArgument(PASSWORD_REFUSED), AlreadyExists: USER_EXISTS, REQUEST_ID_REUSED;
        ResourceExhausted: QUOTA_EXCEEDED, OVERLOADED.
        """
        check_role(caller, new.role)  # early check; the one below decides
        check_email(new.email)
        if new.password:
            async with self._database.tenant(caller.tenant_id) as connection:
                tenant = await store.tenant(connection, caller.tenant_id)
            self._rules.check(new.password, [new.email, new.display_name, tenant.display_name, tenant.tenant_id])
        made = "" if new.password else made_password()
        with self._passwords.slot() as slot:
            password_hash = await slot.hash(new.password or made)
        request = Request(new.request_id, self._request_hash(new)) if new.request_id else None
        now = to_datetime(self._clock())
        user = new_user(caller.tenant_id, new.email, new.display_name, new.role, now)
        # A service cannot change its password, so it need not.
        user = replace(user, password_change_required=new.role is not Role.SERVICE)
        try:
            async with changing(self._database, caller) as (connection, held):
                check_role(held, new.role)
                if request:
                    earlier = await store.user_by_request(connection, caller.tenant_id, request.request_id)
                    if earlier:
                        return _same_request(earlier, request), ""
                own = (await store.tenant(connection, caller.tenant_id)).users_most
                limit = self._options.users_per_tenant_max if own is None else own
                if await store.count_users(connection, caller.tenant_id) >= limit:
                    raise ResourceExhausted(
                        Reason.QUOTA_EXCEEDED,
                        f"the tenant has reached its limit of {limit} users: delete some, or ask the server's operator",
                        metadata={"limit": str(limit)},
                    )
                await store.insert_user(connection, user, password_hash, request)
                await record(
                    connection,
                    caller.tenant_id,
                    "auth.create_user",
                    resource=user.user_id,
                    detail=new.role.value,
                )
        except UniqueViolation as error:
            raise AlreadyExists(Reason.USER_EXISTS, "a user with this mail address exists in your tenant") from error
        return user, made

    async def get(self, caller: Caller, user_id: str) -> User:
        """Read a user of the caller's tenant. Raises NotFound."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.user(connection, caller.tenant_id, user_id)

    async def page(self, caller: Caller, filter_text: str, after_id: str, limit: int) -> list[User]:
        """Matching users, by mail address, after the user `after_id` ('' for the first page).

        Raises InvalidArgument(FILTER_INVALID).
        """
        tree = parse_users(filter_text)
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.list_users(connection, caller.tenant_id, tree, after_id, limit)

    async def update(self, caller: Caller, user_id: str, changes: Changes) -> User:
        """Change a user. A new role applies immediately: older access tokens end, a refresh brings new ones.

        Raises NotFound, PermissionDenied, Aborted(ETAG_MISMATCH), FailedPrecondition(LAST_OWNER).
        """
        now = to_datetime(self._clock())
        async with changing(self._database, caller) as (connection, held):
            # Locked from here: a login or a refresh commits before this, or sees the new role. Either way the revision
            # of its token is lower than that of the change, or the token has the new role.
            user = await store.user(connection, caller.tenant_id, user_id, lock=True)
            check_role(held, user.role)
            former = user.role
            if changes.etag and changes.etag != user.etag:
                raise Aborted(
                    Reason.ETAG_MISMATCH, "the user was changed in the meantime: read it again, then repeat the call"
                )
            if changes.role is not None and changes.role is not user.role:
                check_role(held, changes.role)
                if user.role is Role.OWNER and user.active:
                    await _check_other_owner(connection, user)
            user = await store.update_user(
                connection,
                user,
                now,
                display_name=changes.display_name,
                language=changes.language,
                role=changes.role,
            )
            if changes.role is None:
                await record(connection, caller.tenant_id, "auth.update_user", resource=user_id)
            else:
                detail = f"{former} -> {user.role}"
                await record(connection, caller.tenant_id, "auth.change_role", resource=user_id, detail=detail)
        if user.role is not former:
            await self._revocations.renew(user_id, user.revision)
        self._api_keys.forget(user_id)
        return user

    async def disable(self, caller: Caller, user_id: str) -> tuple[User, int]:
        """Disable a user; end all their sessions (returns their number) and API keys.

        Raises NotFound, PermissionDenied, FailedPrecondition(LAST_OWNER).
        """
        now = to_datetime(self._clock())
        async with changing(self._database, caller) as (connection, held):
            user = await store.user(connection, caller.tenant_id, user_id, lock=True)
            check_role(held, user.role)
            if user.role is Role.OWNER and user.active:
                await _check_other_owner(connection, user)
            if user.active:
                user = await store.update_user(connection, user, now, state="disabled")
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
            await apikey_store.end_of_user(connection, caller.tenant_id, user_id, now)
            await record(connection, caller.tenant_id, "auth.disable_user", resource=user_id)
        await self._revocations.end(ended)
        self._api_keys.forget(user_id)
        return user, len(ended)

    async def enable(self, caller: Caller, user_id: str) -> User:
        """Let a disabled user log in again. Raises NotFound, PermissionDenied."""
        async with changing(self._database, caller) as (connection, held):
            user = await store.user(connection, caller.tenant_id, user_id, lock=True)
            check_role(held, user.role)
            if user.active:
                return user
            await record(connection, caller.tenant_id, "auth.enable_user", resource=user_id)
            return await store.update_user(connection, user, to_datetime(self._clock()), state="active")

    async def delete(self, caller: Caller, user_id: str) -> int:
        """Delete a user's personal data, sessions and secrets, and end their API keys. Returns the ended sessions.

        Raises NotFound, PermissionDenied, FailedPrecondition(LAST_OWNER).
        """
        now = to_datetime(self._clock())
        async with changing(self._database, caller) as (connection, held):
            user = await store.user(connection, caller.tenant_id, user_id, lock=True)
            check_role(held, user.role)
            if user.role is Role.OWNER and user.active:
                await _check_other_owner(connection, user)
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
            await apikey_store.end_of_user(connection, caller.tenant_id, user_id, now)
            await deletion_store.clear_user(connection, caller.tenant_id, user_id, now)
            await record(connection, caller.tenant_id, "auth.delete_user", resource=user_id)
        await self._revocations.end(ended)
        self._api_keys.forget(user_id)
        return len(ended)

    async def reset_password(self, caller: Caller, user_id: str, *, keep_api_keys: bool = False) -> str:
        """Set a new password, to be changed at the next login; end all sessions and API keys of that user.

        A second factor stays: a password reset does not bypass it unnoticed. With `keep_api_keys` the keys stay.

        Raises NotFound, PermissionDenied (also for the caller's own password: ChangePassword changes that).
        """
        if user_id == caller.user_id:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "use ChangePassword, which asks for the old password, to change your own password",
                metadata={"scope": "users.write", "cause": "OWN_ACCOUNT"},
            )
        check_role(caller, (await self.get(caller, user_id)).role)  # early check; the one below decides
        made = made_password()
        with self._passwords.slot() as slot:
            password_hash = await slot.hash(made)
        async with changing(self._database, caller) as (connection, held):
            user = await store.user(connection, caller.tenant_id, user_id, lock=True)
            check_role(held, user.role)
            must_change = user.role is not Role.SERVICE
            now = to_datetime(self._clock())
            await store.update_password(connection, user, password_hash, must_change=must_change, now=now)
            await record(connection, caller.tenant_id, "auth.reset_password", resource=user_id)
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
            if not keep_api_keys:
                await apikey_store.end_of_user(connection, caller.tenant_id, user_id, now)
        await self._revocations.end(ended)
        self._api_keys.forget(user_id)
        return made

    async def remove_second_factor(self, caller: Caller, user_id: str) -> tuple[User, int]:
        """Turn off the second factor of a user who has lost it, and end all their sessions (returns their number).

        Raises NotFound, PermissionDenied (also for the caller's own: RemoveSecondFactor asks for the password).
        """
        if user_id == caller.user_id:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "use RemoveSecondFactor, which asks for your password, to turn off your own second factor",
                metadata={"scope": "users.write", "cause": "OWN_ACCOUNT"},
            )
        now = to_datetime(self._clock())
        async with changing(self._database, caller) as (connection, held):
            check_role(held, (await store.user(connection, caller.tenant_id, user_id, lock=True)).role)
            await second_factor_store.remove(connection, caller.tenant_id, user_id, now)
            user = await store.user(connection, caller.tenant_id, user_id)
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
            await record(connection, caller.tenant_id, "auth.remove_user_second_factor", resource=user_id)
        await self._revocations.end(ended)
        return user, len(ended)

    def _request_hash(self, new: NewUser) -> bytes:
        """A keyed hash, because the comparison includes the password."""
        parts = (new.email, new.display_name, new.role.value, new.password)
        return self._keys.mac("request", *(part.encode() for part in parts))


async def _check_other_owner(connection: Connection, user: User) -> None:
    """Raise FailedPrecondition(LAST_OWNER) if no other owner can log in. The tenant's row is locked."""
    if not await store.count_other_owners(connection, user.tenant_id, user.user_id):
        raise FailedPrecondition(
            Reason.LAST_OWNER, "the tenant would be left without an owner: make another user an owner first"
        )


def made_password() -> str:
    """A hundred random bits in groups that can be read aloud."""
    text = token_format.random_id(20)
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))


def _same_request(earlier: tuple[User, bytes | None], request: Request) -> User:
    user, request_hash = earlier
    if request_hash != request.request_hash:
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, "this request id was used for another user: use a new one")
    return user
