"""Login, refresh, logout: the life of a session."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bossjy_server.auth import opaque, session_store, store
from bossjy_server.auth.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.passwords import Passwords
from bossjy_server.auth.records import Session, User, email_key, moment
from bossjy_server.auth.revocations import Revocations
from bossjy_server.auth.second_factor import SecondFactor
from bossjy_server.auth.seldom import Seldom
from bossjy_server.auth.throttle import Throttle
from bossjy_server.auth.tokens import AccessTokens, refused
from bossjy_server.context import Caller
from bossjy_server.errors import NotFound, Reason, ResourceExhausted, Unauthenticated
from bossjy_server.scopes import scopes_of
from bossjy_server.storage.audit import record
from bossjy_server.storage.postgres import Connection, Database


@dataclass(frozen=True, slots=True)
class Client:
    """Where a login comes from, as its session keeps it."""

    device_name: str = ""
    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or a refresh gives. Secret."""

    access_token: str = field(repr=False)
    access_expire_time: datetime
    refresh_token: str = field(repr=False)
    refresh_expire_time: datetime
    session_id: str


class Sessions:
    """Opens, refreshes and ends sessions."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        *,
        database: Database,
        keys: Keys,
        tokens: AccessTokens,
        passwords: Passwords,
        throttle: Throttle,
        revocations: Revocations,
        second_factor: SecondFactor,
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
        self._seldom = Seldom()

    async def login(
        self, tenant_id: str, email: str, password: str, client: Client, code: str = ""
    ) -> tuple[Tokens, User]:
        """Open a session with a password, and a one-time or recovery code where the user has a second factor.

        Raises Unauthenticated(LOGIN_REFUSED) in the same time whether tenant, address or password is wrong or
        the user is disabled, Unauthenticated(SECOND_FACTOR_REQUIRED) to who knows the password alone;
        ResourceExhausted: LOGIN_THROTTLED, OVERLOADED.
        """
        with self._passwords.place() as place:
            async with self._attempt(tenant_id, email, client.address):
                async with self._database.tenant(tenant_id) as connection:
                    account = await store.account_by_email(connection, tenant_id, email)
                verdict = await place.verify(account.password_hash if account else None, password)
                if account is None or not verdict.right or not account.user.active:
                    async with self._database.tenant(tenant_id) as connection:
                        await record(connection, tenant_id, "auth.login", outcome="UNAUTHENTICATED")
                    raise _login_refused()
                new_hash = await place.hash(password) if verdict.rehash else None
                if account.user.second_factor:
                    await self._check_code(account.user, code)
                async with self._database.tenant(tenant_id) as connection:
                    session, user, ended = await self._open_checked(connection, account.user, client)
                    if new_hash is not None:
                        await store.update_hash(connection, tenant_id, user.user_id, account.password_hash, new_hash)
                    await record(connection, tenant_id, "auth.login", resource=session.session_id, actor=user.user_id)
        await self._revocations.end(ended)
        return self.tokens_of(session, user), user

    async def open(self, connection: Connection, user: User, client: Client) -> tuple[Session, list[str]]:
        """Open a session inside a transaction that goes on; worth nothing until that commits.

        With it the ids of the user's sessions that it ends, as there are too many.
        """
        now = self._clock()
        session = Session(
            tenant_id=user.tenant_id,
            session_id=opaque.random_id(26),
            user_id=user.user_id,
            device_name=client.device_name[:200],
            user_agent=client.user_agent[:400],
            address=client.address[:100],
            refresh_seed=opaque.new_seed(),
            generation=1,
            rotate_time=moment(now),
            refresh_expire_time=moment(now + self._options.refresh_idle_s),
            create_time=moment(now),
            last_use_time=moment(now),
            expire_time=moment(now + self._options.session_lifetime_s),
            end_time=None,
        )
        forget_before = moment(now - self._options.ended_sessions_kept_s)
        most = self._options.sessions_per_user_max
        return session, await session_store.open_one(connection, session, most, forget_before)

    def tokens_of(self, session: Session, user: User) -> Tokens:
        """The tokens of the session's current generation. Scopes are those that the user has now."""
        scopes = frozenset[str]() if user.password_change_required else scopes_of(user.role)
        caller = Caller(
            tenant_id=user.tenant_id,
            user_id=user.user_id,
            scopes=scopes,
            role=user.role.value,
            session_id=session.session_id,
            expire_time_s=session.expire_time.timestamp(),
        )
        access = self._tokens.issue(caller, not_before=self._revocations.cutoff(session.session_id))
        refresh = self._refresh_token(session, session.generation)
        return Tokens(
            access_token=access.token,
            access_expire_time=moment(access.expire_time_s),
            refresh_token=refresh,
            refresh_expire_time=session.refresh_expire_time,
            session_id=session.session_id,
        )

    async def refresh(self, text: str) -> tuple[Tokens, User]:
        """New tokens for a refresh token, which works once.

        Within the grace the token before the current one gives the current one again. Any older one, or the
        one before after the grace, ends the session: somebody has a copy. Raises Unauthenticated:
        TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED, REFRESH_TOKEN_REUSED.
        """
        token = opaque.parse_refresh_token(text)
        if token is None:
            raise refused()
        now = moment(self._clock())
        idle = now + timedelta(seconds=self._options.refresh_idle_s)
        ended: list[str] = []
        async with self._database.tenant(token.tenant_id) as connection:
            session = await session_store.find(connection, token.tenant_id, token.session_id)
            if session is None or not hmac.compare_digest(text, self._refresh_token(session, token.generation)):
                raise refused()
            user = await store.user(connection, token.tenant_id, session.user_id)
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
        """End the caller's session or all sessions of the user. Gives how many ended."""
        now = moment(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            if all_sessions:
                ended = await session_store.end_all(connection, caller.tenant_id, caller.user_id, now)
            else:
                ended = await session_store.end(connection, caller.tenant_id, caller.user_id, caller.session_id, now)
            await record(connection, caller.tenant_id, "auth.logout", resource=caller.session_id)
        await self._revocations.end(ended)
        return len(ended)

    async def revoke(self, caller: Caller, session_id: str) -> None:
        """End one of the caller's sessions. Raises NotFound."""
        now = moment(self._clock())
        async with self._database.tenant(caller.tenant_id) as connection:
            ended = await session_store.end(connection, caller.tenant_id, caller.user_id, session_id, now)
            if ended:
                await record(connection, caller.tenant_id, "auth.revoke_session", resource=session_id)
        if not ended:
            raise NotFound("session")
        await self._revocations.end(ended)

    async def page(self, caller: Caller, before: tuple[datetime, str], limit: int) -> list[Session]:
        """The caller's sessions that go on, the newest first, older than `before`."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await session_store.list_live(connection, caller, moment(self._clock()), before, limit)

    @asynccontextmanager
    async def _attempt(self, tenant_id: str, email: str, address: str) -> AsyncIterator[None]:
        """A login that counts against the throttle; that some were refused is recorded once a minute."""
        try:
            async with self._throttle.attempt(tenant_id, email_key(email), address):
                yield
        except ResourceExhausted as error:
            if error.reason is Reason.LOGIN_THROTTLED and self._seldom.due(tenant_id):
                async with self._database.tenant(tenant_id) as connection:
                    await record(connection, tenant_id, "auth.throttle_login", outcome="RESOURCE_EXHAUSTED")
            raise

    async def _check_code(self, user: User, code: str) -> None:
        """Use the code up, in a transaction of its own: it stays used, and a wrong one recorded, whatever follows."""
        if not code:
            raise Unauthenticated(
                Reason.SECOND_FACTOR_REQUIRED, "this user has a second factor: send its code in totp_code as well"
            )
        async with self._database.tenant(user.tenant_id) as connection:
            right = await self._second_factor.use(connection, user, code)
            if not right:
                await record(
                    connection,
                    user.tenant_id,
                    "auth.use_second_factor",
                    resource=user.user_id,
                    outcome="UNAUTHENTICATED",
                )
        if not right:
            raise Unauthenticated(Reason.LOGIN_REFUSED, "the one-time code is wrong, or was used before: take the next")

    async def _open_checked(
        self, connection: Connection, checked: User, client: Client
    ) -> tuple[Session, User, list[str]]:
        """Open a session if the user is still active and has the password that was checked."""
        user = await store.record_login(connection, checked, moment(self._clock()))
        if user is None:
            raise _login_refused()
        session, ended = await self.open(connection, user, client)
        return session, user, ended

    async def _parallel(self, connection: Connection, token: opaque.RefreshToken, now: datetime) -> Session | None:
        """The session if the token was used a moment ago by a parallel call; None if that was too long ago.

        Read again: between the first look and the UPDATE another call can have gone through.
        """
        session = await session_store.find(connection, token.tenant_id, token.session_id)
        if session is None or session.end_time is not None:
            raise Unauthenticated(Reason.SESSION_ENDED, "the session has ended: log in again")
        if session.generation == token.generation:
            raise Unauthenticated(Reason.TOKEN_EXPIRED, "the refresh token has expired: log in again")
        grace = timedelta(seconds=self._options.refresh_grace_s)
        parent = session.generation == token.generation + 1
        return session if parent and now - session.rotate_time <= grace else None

    def _refresh_token(self, session: Session, generation: int) -> str:
        return opaque.refresh_token(self._keys, session.tenant_id, session.session_id, session.refresh_seed, generation)


def _login_refused() -> Unauthenticated:
    return Unauthenticated(
        Reason.LOGIN_REFUSED, "tenant, mail address and password do not belong together: check all three"
    )
