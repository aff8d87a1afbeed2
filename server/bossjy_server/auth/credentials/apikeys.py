"""API keys: create, list and revoke them, and authenticate callers by them."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bossjy_server.auth.authority_changes import changing
from bossjy_server.auth.credentials import apikey_store, certificate_store, token_format
from bossjy_server.auth.credentials.tokens import refused
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.records import ApiKey, Request, to_datetime
from bossjy_server.bounded import BoundedMap
from bossjy_server.context import Caller
from bossjy_server.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Reason,
    ResourceExhausted,
    Unauthenticated,
    Violation,
)
from bossjy_server.scopes import scopes_of
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import Held
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.single_flight import SingleFlight

_REFUSED_MAX = 1000  # texts of refused keys, cached so that a client that repeats one costs no database read


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """The fields of a new API key. If `expire_time` is None, the default lifetime applies."""

    display_name: str
    scopes: frozenset[str]
    expire_time: datetime | None = None
    request_id: str = ""

    def request_hash(self) -> bytes:
        """A hash that identifies a repeated request."""
        parts = (self.display_name, " ".join(sorted(self.scopes)), str(self.expire_time))
        return hashlib.sha256("\0".join(parts).encode()).digest()


class ApiKeys:
    """The API keys of all tenants."""

    def __init__(self, database: Database, options: AuthOptions, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        # SHA-256 of a key's text -> its caller, and when it must be read again; oldest first
        self._known = BoundedMap[bytes, tuple[Caller, float]](options.verified_tokens_max)
        # The same for refused keys -> the time until which the refusal needs no read
        self._refused = BoundedMap[bytes, float](_REFUSED_MAX)
        self._reading = SingleFlight[tuple[bytes, int], Caller]()
        self._changes = 0  # number of keys that ended here; a read that began before an end is not cached

    async def caller_of(self, text: str) -> Caller:
        """The caller of a key. Raises Unauthenticated(TOKEN_INVALID), Unavailable.

        A key in use is read again every few seconds, so its end is noticed within that time.
        """
        return await self._known_or(self._read, text)

    async def caller_of_certificate(self, name: str) -> Caller:
        """The caller of the key to which the name in a verified certificate is bound.

        Raises Unauthenticated(CREDENTIALS_MISSING), Unavailable. The end of a binding is noticed as soon as that of a
        key.
        """
        return await self._known_or(self._read_certificate, name)

    async def _known_or(self, read: Callable[[str], Coroutine[Any, Any, Caller]], text: str) -> Caller:
        # Names and keys never look alike: a key begins with bjk_, and has no `:` or `=`.
        digest = _digest(text)
        known = self._known.get(digest)
        if known and known[1] > self._clock():
            return known[0]
        self._known.pop(digest, None)
        changes = self._changes
        caller = await self._reading.run((digest, changes), partial(read, text))
        if changes != self._changes:  # it may have ended since; this call came before, so it may still use the caller
            return caller
        until = min(self._clock() + self._options.api_key_recheck_s, caller.expire_time_s)
        self._known.keep(digest, (caller, until))
        return caller

    async def create(self, caller: Caller, new: NewApiKey) -> tuple[ApiKey, str]:
        """Create a key for the caller. Returns the key and its secret, which is '' for a repeated call.

        A key created by another key ends with that key. Raises InvalidArgument for an expiry that is past or too late,
        PermissionDenied(SCOPE_MISSING) for a scope that the caller lacks, AlreadyExists(REQUEST_ID_REUSED),
        ResourceExhausted(QUOTA_EXCEEDED), and the errors of `hold_caller`.
        """
        now = to_datetime(self._clock())
        text = token_format.new_api_key(caller.tenant_id, token_format.random_id())
        # The lock on the tenant's row makes the limit exact, and a parallel call with the same request id waits.
        async with changing(self._database, caller) as (connection, held):
            advice = "a key can have only scopes of its maker: remove those that you lack"
            _check_scopes(new.scopes, held, advice, by_key=bool(caller.api_key_id))
            expire_time = self._expire_time(new, now, held.expire_time if caller.api_key_id else None)
            if new.request_id:
                earlier = await apikey_store.by_request(connection, caller.tenant_id, new.request_id)
                if earlier is not None:
                    return _same_request(earlier, new), ""
            if await apikey_store.count_live(connection, caller.tenant_id, now) >= self._limit:
                raise ResourceExhausted(
                    Reason.QUOTA_EXCEEDED,
                    "the tenant has reached its limit of API keys: revoke some",
                    metadata={"limit": str(self._limit)},
                )
            parent = caller.api_key_id or None
            key = ApiKey(text.api_key_id, new.display_name, new.scopes, caller.user_id, now, expire_time, None, parent)
            request = Request(new.request_id, new.request_hash()) if new.request_id else None
            await apikey_store.insert(connection, caller.tenant_id, key, text.digest(), request)
            await record(connection, caller.tenant_id, "auth.create_api_key", resource=key.api_key_id)
        return key, token_format.api_key_text(text)

    async def page(self, caller: Caller, before: tuple[datetime, str], limit: int) -> list[ApiKey]:
        """The tenant's live keys, newest first, older than `before`."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await apikey_store.list_live(connection, caller.tenant_id, to_datetime(self._clock()), before, limit)

    async def revoke(self, caller: Caller, api_key_id: str) -> None:
        """End a key of the caller's tenant and all keys that it created.

        Raises NotFound. Raises PermissionDenied(SCOPE_MISSING) if the caller is a key that lacks a scope of that key.
        """
        async with changing(self._database, caller) as (connection, held):
            key = await apikey_store.find(connection, caller.tenant_id, api_key_id)
            if key is None:
                raise NotFound("api_key")
            if caller.api_key_id:
                advice = "a key can end only keys whose scopes it has: log in to end this one"
                _check_scopes(key.scopes, held, advice, by_key=True)
            ended = await apikey_store.end(connection, caller.tenant_id, api_key_id, to_datetime(self._clock()))
            await record(connection, caller.tenant_id, "auth.revoke_api_key", resource=api_key_id)
        self.forget(*ended)

    def forget(self, *owners: str) -> None:
        """Read the keys of these ids, or of these users, again at their next use.

        A change applies immediately here. Other replicas notice it within `api_key_recheck_s`.
        """
        self._changes += 1
        changed = set(owners)
        gone = [key for key, (known, _) in self._known.items() if changed & {known.api_key_id, known.user_id}]
        for key in gone:
            del self._known[key]

    @property
    def _limit(self) -> int:
        return self._options.api_keys_per_tenant_max

    def _expire_time(self, new: NewApiKey, now: datetime, parent_expire_time: datetime | None) -> datetime:
        """The expiry of a new key. Raises InvalidArgument for a past expiry, or one that is too late."""
        latest = now + timedelta(seconds=self._options.api_key_lifetime_max_s)
        days = self._options.api_key_lifetime_max_s / 86_400
        limit = f"at most {days:g} days ahead"
        if parent_expire_time is not None and parent_expire_time < latest:
            latest, limit = parent_expire_time, "no later than the expiry of the API key that creates it"
        expire_time = new.expire_time or min(latest, now + timedelta(seconds=self._options.api_key_lifetime_s))
        if now < expire_time <= latest:
            return expire_time
        if expire_time <= now:
            limit = "in the future"
        violation = Violation("expire_time", f"must be {limit}")
        raise InvalidArgument(Reason.INVALID_FIELD, f"expire_time must be {limit}", violations=[violation])

    async def _read(self, text: str) -> Caller:
        key = token_format.parse_api_key(text)
        # A refused text never becomes a key: secrets are random, and a key that ended stays ended.
        if key is None or self._refused.get(_digest(text), 0.0) > self._clock():
            raise refused()
        now = to_datetime(self._clock())
        async with self._database.tenant(key.tenant_id) as connection:
            stored = await apikey_store.for_check(connection, key.tenant_id, key.api_key_id, now)
            if stored is None or not hmac.compare_digest(stored.secret_hash, key.digest()):
                self._keep_refused(text)
                raise refused()
            await apikey_store.record_use(connection, key.tenant_id, key.api_key_id, now)
        return _caller(key.tenant_id, key.api_key_id, stored)

    def _keep_refused(self, text: str) -> None:
        self._refused.keep(_digest(text), self._clock() + self._options.api_key_recheck_s)

    async def _read_certificate(self, name: str) -> Caller:
        now = to_datetime(self._clock())
        async with self._database.system() as connection:
            bound = await certificate_store.find(connection, name)
        if bound is None:
            raise _not_bound()
        async with self._database.tenant(bound.tenant_id) as connection:
            stored = await apikey_store.for_check(connection, bound.tenant_id, bound.api_key_id, now)
            if stored is None:
                raise _not_bound()
            await apikey_store.record_use(connection, bound.tenant_id, bound.api_key_id, now)
        return _caller(bound.tenant_id, bound.api_key_id, stored)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _caller(tenant_id: str, api_key_id: str, stored: apikey_store.StoredKey) -> Caller:
    return Caller(
        tenant_id=tenant_id,
        user_id=stored.created_by,
        # Never more than the maker's current scopes: a key's scopes do not outlive a demotion.
        scopes=stored.scopes & scopes_of(stored.role),
        role=stored.role.value,
        api_key_id=api_key_id,
        expire_time_s=stored.expire_time.timestamp(),
    )


def _check_scopes(scopes: frozenset[str], held: Held, message: str, *, by_key: bool) -> None:
    lacking = min(scopes - held.scopes, default="")
    if lacking:
        scope = lacking[:64]  # a text of the caller
        cause = "KEY_WITHOUT_SCOPE" if by_key and scope in scopes_of(held.role) else "ROLE_TOO_LOW"
        metadata = {"scope": scope, "cause": cause, "role": held.role.value}
        raise PermissionDenied(Reason.SCOPE_MISSING, f"{message} (the scope {scope})", metadata=metadata)


def _not_bound() -> Unauthenticated:
    return Unauthenticated(
        Reason.CREDENTIALS_MISSING,
        "the client certificate is bound to no service account: ask the operator to bind it, or send `authorization`",
    )


def _same_request(earlier: tuple[ApiKey, bytes | None], new: NewApiKey) -> ApiKey:
    key, request_hash = earlier
    if request_hash != new.request_hash():
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, "this request id was used for another API key: use a new one")
    return key
