"""Sessions: login, refresh, logout."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bossjy_server.auth import store
from bossjy_server.auth.audit.once_per import OncePer
from bossjy_server.auth.credentials import token_format
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.credentials.tokens import AccessTokens, refused
from bossjy_server.auth.login import session_store
from bossjy_server.auth.login.factor_policy import session_duty, session_scopes
from bossjy_server.auth.login.login_networks import LoginNetworks
from bossjy_server.auth.login.revocations import Revocations
from bossjy_server.auth.login.second_factor import SecondFactor
from bossjy_server.auth.login.throttle import Throttle, throttled
from bossjy_server.auth.login.wrong_logins import WrongLogins
from bossjy_server.auth.mail_addresses import email_key
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.records import Session, User, to_datetime
from bossjy_server.context import Caller
from bossjy_server.errors import NotFound, Reason, ResourceExhausted, Unauthenticated
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import hold_caller, session_ended
from bossjy_server.storage.postgres import Connection, Database


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a login, as its session stores it."""

    device_name: str = ""
    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The result of a login or a refresh. Secret."""

    access_token: str = field(repr=False)
    access_expire_time: datetime
    refresh_token: str = field(repr=False)
    refresh_expire_time: datetime
    session_id: str


class Sessions:
    """Opens, refreshes and ends sessions."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        *,
        database: Database,
        keys: Keys,
        tokens: AccessTokens,
        passwords: Passwords,
        throttle: Throttle,
        revocations: Revocations,
        second_factor: SecondFactor,
        wrong_logins: WrongLogins,
        options: AuthOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._tokens = tokens
        self._passwords = passwords
        self._throttle = throttle
        self._revocations = revocations
        self._second_factor = second_factor
        self._options = options
        self._clock = clock
        self._once_per = OncePer()
        self._wrong_logins = wrong_logins
        self._networks = LoginNetworks(keys, options, clock)

    async def login(
        self, tenant_id: str, email: str, password: str, client: Client, code: str = ""
    ) -> tuple[Tokens, User]:
        """Open a session with a password, and a one-time or recovery code if the user has a second factor.

        Raises Unauthenticated(LOGIN_REFUSED) in the same time for a wrong tenant, address or password and for a
        disabled user, Unauthenticated(SECOND_FACTOR_REQUIRED) to a caller who knows only the password;
        ResourceExhausted: LOGIN_THROTTLED, OVERLOADED. While others guess at the account or its tenant, only the right
        password from a network of an earlier login passes.
        """
        with self._passwords.slot() as slot:
            async with self._attempt(tenant_id, email, client.address) as wait_s:
                async with self._database.tenant(tenant_id) as connection:
                    account = await store.account_by_email(connection, tenant_id, email)
                    user = account.user if account else None
                    known = not wait_s or await self._networks.knows(connection, tenant_id, user, client.address)
                verdict = await slot.verify(account.password_hash if account else None, password)
                if account is None or not verdict.right or not account.user.active or not known:
                    if wait_s:
                        raise throttled(wait_s)
                    await self._wrong_logins.add(tenant_id, client.address)
                    raise _login_refused()
                new_hash = await slot.hash(password) if verdict.rehash else None
                if account.user.second_factor:
                    await self._second_factor.check(account.user, code)
                async with self._database.tenant(tenant_id) as connection:
                    session, user, ended = await self._open_checked(connection, account.user, client)
                    if new_hash is not None:
                        await store.update_hash(connection, tenant_id, user.user_id, account.password_hash, new_hash)
                    await record(connection, tenant_id, "auth.login", resource=session.session_id, actor=user.user_id)
        await self._revocations.end(ended)
        return self.tokens_of(session, user), user

    async def open(self, connection: Connection, user: User, client: Client) -> tuple[Session, list[str]]:
        """Open a session inside an open transaction; it becomes valid when that commits.

        Returns it with the ids of the user's sessions that it ends because there are too many.
        """
        now = self._clock()
        session = Session(
            tenant_id=user.tenant_id,
            session_id=token_format.random_id(26),
            user_id=user.user_id,
            device_name=client.device_name[:200],
            user_agent=client.user_agent[:400],
            address=client.address[:100],
            refresh_seed=token_format.new_seed(),
            generation=1,
            rotate_time=to_datetime(now),
            refresh_expire_time=to_datetime(now + self._options.refresh_idle_s),
            create_time=to_datetime(now),
            last_use_time=to_datetime(now),
            expire_time=to_datetime(now + self._options.session_lifetime_s),
            end_time=None,
        )
        forget_before = to_datetime(now - self._options.ended_sessions_kept_s)
        most = self._options.sessions_per_user_max
        ended = await session_store.open_one(connection, session, most, forget_before)
        await self._networks.remember(connection, user, client.address)
        return session, ended

    def tokens_of(self, session: Session, user: User) -> Tokens:
        """The tokens of the session's current generation, with the user's current scopes."""
        caller = Caller(
            tenant_id=user.tenant_id,
            user_id=user.user_id,
            scopes=session_scopes(user, self._options),
            role=user.role.value,
            session_id=session.session_id,
            expire_time_s=session.expire_time.timestamp(),
            due=session_duty(user, self._options),
        )
        access = self._tokens.issue(caller, user.revision)
        refresh = self._refresh_token(session, session.generation)
        return Tokens(
            access_token=access.token,
            access_expire_time=to_datetime(access.expire_time_s),
            refresh_token=refresh,
            refresh_expire_time=session.refresh_expire_time,
            session_id=session.session_id,
        )

    async def refresh(self, text: str) -> tuple[Tokens, User]:
        """New tokens for a refresh token, which works once.

        Within the grace period, the token before the current one returns the current one again. Any older one, or the
        one before after the grace period, ends the session: somebody has a copy. Raises Unauthenticated: TOKEN_INVALID,
        TOKEN_EXPIRED, SESSION_ENDED, REFRESH_TOKEN_REUSED.
        """
        token = token_format.parse_refresh_token(text)
        if token is None:
            raise refused()
        now = to_datetime(self._clock())
        idle = now + timedelta(seconds=self._options.refresh_idle_s)
        ended: list[str] = []
        async with self._database.tenant(token.tenant_id) as connection:
            session = await session_store.find(connection, token.tenant_id, token.session_id)
            if session is None or not hmac.compare_digest(text, self._refresh_token(session, token.generation)):
                raise refused()
            # Locked before the role is read: a role change waits for this refresh, or this refresh sees it.
            user = await store.user(connection, token.tenant_id, session.user_id, lock=True)
            if not user.active:
                raise session_ended()
            rotated = await session_store.rotate(connection, token, now, idle)
            if rotated is None:
                rotated = await self._parallel(connection, token, now)
            if rotated is None:
                ended = await session_store.end(connection, token.tenant_id, session.user_id, token.session_id, now)
                await record(
                    connection,
                    token.tenant_id,
                    "auth.reuse_refresh_token",
                    resource=token.session_id,
                    actor=session.user_id,
                    outcome="UNAUTHENTICATED",
                )
        if rotated is None:
            await self._revocations.end(ended)
            raise Unauthenticated(
                Reason.REFRESH_TOKEN_REUSED,
                "this refresh token was used before, so its session has ended: log in again, and find out "
                "who has a copy of the token",
            )
        return self.tokens_of(rotated, user), user

    async def logout(self, caller: Caller, *, all_sessions: bool) -> int:
        """End the caller's session or all sessions of the user. Returns their number.

        Raises the errors of `hold_caller`.
        """
        now = to_datetime(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            if all_sessions:
                ended = await session_store.end_all(connection, caller.tenant_id, caller.user_id, now)
            else:
                ended = await session_store.end(connection, caller.tenant_id, caller.user_id, caller.session_id, now)
            await record(connection, caller.tenant_id, "auth.logout", resource=caller.session_id)
        await self._revocations.end(ended)
        return len(ended)

    async def revoke(self, caller: Caller, session_id: str) -> None:
        """End one of the caller's sessions. Raises NotFound."""
        now = to_datetime(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            ended = await session_store.end(connection, caller.tenant_id, caller.user_id, session_id, now)
            if ended:
                await record(connection, caller.tenant_id, "auth.revoke_session", resource=session_id)
        if not ended:
            raise NotFound("session")
        await self._revocations.end(ended)

    async def page(self, caller: Caller, before: tuple[datetime, str], limit: int) -> list[Session]:
        """The caller's live sessions, newest first, older than `before`."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await session_store.list_live(connection, caller, to_datetime(self._clock()), before, limit)

    @asynccontextmanager
    async def _attempt(self, tenant_id: str, email: str, address: str) -> AsyncIterator[float]:
        """A login that counts against the throttle; refusals are recorded once a minute."""
        try:
            async with self._throttle.login(tenant_id, email_key(email), address) as wait_s:
                yield wait_s
        except ResourceExhausted as error:
            if error.reason is Reason.LOGIN_THROTTLED and self._once_per.due(tenant_id):
                async with self._database.tenant(tenant_id) as connection:
                    await record(connection, tenant_id, "auth.throttle_login", outcome="RESOURCE_EXHAUSTED")
            raise

    async def _open_checked(
        self, connection: Connection, checked: User, client: Client
    ) -> tuple[Session, User, list[str]]:
        """Open a session if the user is still active and has the password that was checked.

        This locks the user's row, so role and revision are current: see `refresh`.
        """
        user = await store.record_login(connection, checked, to_datetime(self._clock()))
        if user is None:
            raise _login_refused()
        session, ended = await self.open(connection, user, client)
        return session, user, ended

    async def _parallel(
        self, connection: Connection, token: token_format.RefreshToken, now: datetime
    ) -> Session | None:
        """The session if a parallel call used the token within the grace period; None if that was too long ago.

        The row is read again: another call may have changed it between the first read and the UPDATE.
        """
        session = await session_store.find(connection, token.tenant_id, token.session_id)
        if session is None or session.end_time is not None:
            raise session_ended()
        if session.generation == token.generation:
            raise Unauthenticated(Reason.TOKEN_EXPIRED, "the refresh token has expired: log in again")
        grace = timedelta(seconds=self._options.refresh_grace_s)
        parent = session.generation == token.generation + 1
        return session if parent and now - session.rotate_time <= grace else None

    def _refresh_token(self, session: Session, generation: int) -> str:
        return token_format.refresh_token(
            self._keys, session.tenant_id, session.session_id, session.refresh_seed, generation
        )


def _login_refused() -> Unauthenticated:
    return Unauthenticated(Reason.LOGIN_REFUSED, "tenant, mail address and password do not match: check all three")
