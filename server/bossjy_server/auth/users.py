"""The users of a tenant, as an administrator sees and changes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bossjy_server.auth import apikey_store, opaque, second_factor_store, session_store, store
from bossjy_server.auth.accounts import new_user
from bossjy_server.auth.apikeys import ApiKeys
from bossjy_server.auth.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password_rules import PasswordRules
from bossjy_server.auth.passwords import Passwords
from bossjy_server.auth.records import Request, User, moment
from bossjy_server.auth.revocations import Revocations
from bossjy_server.auth.user_filter import Term
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
from bossjy_server.storage.postgres import Connection, Database, UniqueViolation


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new user is made of. An empty password: the server makes one."""

    email: str = field(repr=False)
    display_name: str = field(repr=False)
    role: Role
    password: str = field(repr=False)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of a user; None leaves a field alone. `etag` guards against others' changes, if set."""

    display_name: str | None = field(default=None, repr=False)
    language: str | None = None
    role: Role | None = None
    etag: str = ""


class Users:
    """Makes, reads, changes, disables and enables users. Nobody may touch who stands above."""

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
        """Make a user; gives it and the password that the server made.

        The password is '' if the request gave one or this is a repeated call. Raises PermissionDenied for a
        role above the caller's, InvalidArgument(PASSWORD_REFUSED), AlreadyExists: USER_EXISTS,
        REQUEST_ID_REUSED; ResourceExhausted: QUOTA_EXCEEDED, OVERLOADED.
        """
        _check_rank(caller, new.role)
        if new.password:
            self._rules.check(new.password, [new.email, new.display_name])
        made = "" if new.password else made_password()
        with self._passwords.place() as place:
            password_hash = await place.hash(new.password or made)
        request = Request(new.request_id, self._request_hash(new)) if new.request_id else None
        now = moment(self._clock())
        user = new_user(caller.tenant_id, new.email, new.display_name, new.role, now)
        # A service cannot change its password, so it is not asked to.
        user = replace(user, password_change_required=new.role is not Role.SERVICE)
        try:
            async with self._database.tenant(caller.tenant_id) as connection:
                await store.tenant(connection, caller.tenant_id, lock=True)
                if request:
                    earlier = await store.user_by_request(connection, caller.tenant_id, request.request_id)
                    if earlier:
                        return _same_request(earlier, request), ""
                if await store.count_users(connection, caller.tenant_id) >= self._options.users_per_tenant_max:
                    raise ResourceExhausted(
                        Reason.QUOTA_EXCEEDED,
                        "the tenant has as many users as it may have",
                        metadata={"limit": str(self._options.users_per_tenant_max)},
                    )
                await store.insert_user(connection, user, password_hash, request)
                await record(connection, caller.tenant_id, "auth.create_user", resource=user.user_id)
        except UniqueViolation as error:
            raise AlreadyExists(Reason.USER_EXISTS, "a user with this mail address exists in your tenant") from error
        return user, made

    async def get(self, caller: Caller, user_id: str) -> User:
        """Read a user of the caller's tenant. Raises NotFound."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.user(connection, caller.tenant_id, user_id)

    async def page(self, caller: Caller, terms: Sequence[Term], after_id: str, limit: int) -> list[User]:
        """Users by mail address, after the user `after_id` ('' for the first page)."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await store.list_users(connection, caller.tenant_id, terms, after_id, limit)

    async def update(self, caller: Caller, user_id: str, changes: Changes) -> User:
        """Change a user. A new role counts at once: older access tokens end, a refresh brings new ones.

        Raises NotFound, PermissionDenied, Aborted(ETAG_MISMATCH), FailedPrecondition(LAST_OWNER).
        """
        now = moment(self._clock())
        sessions: list[str] = []
        async with self._database.tenant(caller.tenant_id) as connection:
            # Changes of one tenant's users happen one by one, so two owners cannot unmake each other.
            await store.tenant(connection, caller.tenant_id, lock=True)
            user = await store.user(connection, caller.tenant_id, user_id)
            _check_rank(caller, user.role)
            if changes.etag and changes.etag != user.etag:
                raise Aborted(Reason.ETAG_MISMATCH, "the user was changed meanwhile: read it again, then repeat")
            if changes.role is not None and changes.role is not user.role:
                _check_rank(caller, changes.role)
                if user.role is Role.OWNER and user.active:
                    await _check_other_owner(connection, user)
                sessions = await session_store.live_ids(connection, caller.tenant_id, user_id, now)
            user = await store.update_user(
                connection,
                user,
                now,
                display_name=changes.display_name,
                language=changes.language,
                role=changes.role,
            )
            action = "auth.update_user" if changes.role is None else "auth.change_role"
            await record(connection, caller.tenant_id, action, resource=user_id)
        await self._revocations.renew(sessions)
        self._api_keys.forget(user_id)
        return user

    async def disable(self, caller: Caller, user_id: str) -> tuple[User, int]:
        """Let nobody log in as that user; end all sessions (gives how many) and API keys of that user.

        Raises NotFound, PermissionDenied, FailedPrecondition(LAST_OWNER).
        """
        now = moment(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            await store.tenant(connection, caller.tenant_id, lock=True)
            user = await store.user(connection, caller.tenant_id, user_id)
            _check_rank(caller, user.role)
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
        async with self._database.tenant(caller.tenant_id) as connection:
            user = await store.user(connection, caller.tenant_id, user_id)
            _check_rank(caller, user.role)
            if user.active:
                return user
            await record(connection, caller.tenant_id, "auth.enable_user", resource=user_id)
            return await store.update_user(connection, user, moment(self._clock()), state="active")

    async def reset_password(self, caller: Caller, user_id: str) -> str:
        """Give a user a new password, to be changed at the next login, and end all sessions of that user.

        A second factor stays: who resets a password does not get past it unseen.

        Raises NotFound, PermissionDenied (also for the caller's own: that is what ChangePassword is for).
        """
        if user_id == caller.user_id:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "your own password is changed by ChangePassword, which asks for the old one",
                metadata={"scope": "users.write"},
            )
        user = await self.get(caller, user_id)
        _check_rank(caller, user.role)
        made = made_password()
        with self._passwords.place() as place:
            password_hash = await place.hash(made)
        must_change = user.role is not Role.SERVICE
        async with self._database.tenant(caller.tenant_id) as connection:
            now = moment(self._clock())
            await store.update_password(connection, user, password_hash, must_change=must_change, now=now)
            await record(connection, caller.tenant_id, "auth.reset_password", resource=user_id)
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
        await self._revocations.end(ended)
        return made

    async def remove_second_factor(self, caller: Caller, user_id: str) -> tuple[User, int]:
        """Turn off the second factor of a user who has lost it, and end all sessions (gives how many) of that user.

        Raises NotFound, PermissionDenied (also for the caller's own: RemoveSecondFactor asks for the password).
        """
        if user_id == caller.user_id:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "your own second factor is turned off by RemoveSecondFactor, which asks for your password",
                metadata={"scope": "users.write"},
            )
        now = moment(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            _check_rank(caller, (await store.user(connection, caller.tenant_id, user_id)).role)
            await second_factor_store.remove(connection, caller.tenant_id, user_id, now)
            user = await store.user(connection, caller.tenant_id, user_id)
            ended = await session_store.end_all(connection, caller.tenant_id, user_id, now)
            await record(connection, caller.tenant_id, "auth.remove_user_second_factor", resource=user_id)
        await self._revocations.end(ended)
        return user, len(ended)

    def _request_hash(self, new: NewUser) -> bytes:
        """Keyed, because the password is among what is compared."""
        parts = (new.email, new.display_name, new.role.value, new.password)
        return self._keys.mac("request", *(part.encode() for part in parts))


def _check_rank(caller: Caller, role: Role) -> None:
    """Raise PermissionDenied unless the role is at most the caller's own."""
    if role.rank > Role(caller.role).rank:
        raise PermissionDenied(
            Reason.SCOPE_MISSING,
            "this needs a role at least as high: ask an owner of your tenant",
            metadata={"scope": "tenants.write"},
        )


async def _check_other_owner(connection: Connection, user: User) -> None:
    """Raise FailedPrecondition(LAST_OWNER) if no other owner can log in. The tenant's row is held."""
    if not await store.count_other_owners(connection, user.tenant_id, user.user_id):
        raise FailedPrecondition(
            Reason.LAST_OWNER, "the tenant would be left without an owner: make another user an owner first"
        )


def made_password() -> str:
    """A hundred random bits in groups that can be read out."""
    text = opaque.random_id(20)
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))


def _same_request(earlier: tuple[User, bytes | None], request: Request) -> User:
    user, request_hash = earlier
    if request_hash != request.request_hash:
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, "this request id was used for another user: use a new one")
    return user
