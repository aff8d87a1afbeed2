"""API keys: made, listed, ended, and turned into callers."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bossjy_server.auth import apikey_store, certificate_store, opaque, store
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.records import ApiKey, Request, moment
from bossjy_server.auth.tokens import refused
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
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.single_flight import SingleFlight

_REFUSED_MAX = 1000  # texts of keys that were refused, kept so that a client that goes on with one costs no reading


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What an API key is made of. `expire_time` None: after the default life."""

    display_name: str
    scopes: frozenset[str]
    expire_time: datetime | None = None
    request_id: str = ""

    def request_hash(self) -> bytes:
        """Tells whether a repeated request is the same one."""
        parts = (self.display_name, " ".join(sorted(self.scopes)), str(self.expire_time))
        return hashlib.sha256("\0".join(parts).encode()).digest()


class ApiKeys:
    """The API keys of all tenants."""

    def __init__(self, database: Database, options: AuthOptions, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        # SHA-256 of a key's text -> its caller, and when it must be read again; the oldest first
        self._known: dict[bytes, tuple[Caller, float]] = {}
        # The same of keys that were refused -> until when that needs no reading
        self._refused: dict[bytes, float] = {}
        self._reading = SingleFlight[tuple[bytes, int], Caller]()
        self._changes = 0  # how often a key ended here: what was read before is not kept after

    async def caller_of(self, text: str) -> Caller:
        """The caller that a key stands for. Raises Unauthenticated(TOKEN_INVALID), Unavailable.

        A key that is in use is read again every few seconds: that is how soon its end is noticed.
        """
        return await self._known_or(self._read, text)

    async def caller_of_certificate(self, name: str) -> Caller:
        """The caller that the key stands for which the name in a verified certificate is bound to.

        Raises Unauthenticated(CREDENTIALS_MISSING), Unavailable. Its end is noticed as soon as that of a key.
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
        if changes != self._changes:  # it may have ended since: good for this call, which came before
            return caller
        while len(self._known) >= self._options.verified_tokens_max:
            del self._known[next(iter(self._known))]
        until = min(self._clock() + self._options.api_key_recheck_s, caller.expire_time_s)
        self._known[digest] = (caller, until)
        return caller

    async def create(self, caller: Caller, new: NewApiKey) -> tuple[ApiKey, str]:
        """Make a key for the caller; gives it and its secret, which is '' when a repeated call answers.

        Raises InvalidArgument for an end in the past, PermissionDenied(SCOPE_MISSING) for a scope that the
        caller lacks, AlreadyExists(REQUEST_ID_REUSED), ResourceExhausted(QUOTA_EXCEEDED).
        """
        lacking = sorted(new.scopes - caller.scopes)
        if lacking:
            raise PermissionDenied(
                Reason.SCOPE_MISSING,
                "a key carries at most the scopes of its maker: leave out those that you do not hold",
                metadata={"scope": lacking[0][:64]},
            )
        now = moment(self._clock())
        expire_time = new.expire_time or moment(self._clock() + self._options.api_key_lifetime_s)
        if expire_time <= now:
            violation = Violation("expire_time", "must lie in the future")
            raise InvalidArgument(Reason.INVALID_FIELD, "expire_time lies in the past", violations=[violation])
        text = opaque.new_api_key(caller.tenant_id, opaque.random_id())
        async with self._database.tenant(caller.tenant_id) as connection:
            # Holding the tenant's row makes the limit exact and lets a parallel call with the same request id
            # wait.
            await store.tenant(connection, caller.tenant_id, lock=True)
            if new.request_id:
                earlier = await apikey_store.by_request(connection, caller.tenant_id, new.request_id)
                if earlier is not None:
                    return _same_request(earlier, new), ""
            if await apikey_store.count_live(connection, caller.tenant_id, now) >= self._limit:
                raise ResourceExhausted(
                    Reason.QUOTA_EXCEEDED,
                    "the tenant has as many API keys as it may have: revoke some",
                    metadata={"limit": str(self._limit)},
                )
            key = ApiKey(text.api_key_id, new.display_name, new.scopes, caller.user_id, now, expire_time, None)
            request = Request(new.request_id, new.request_hash()) if new.request_id else None
            await apikey_store.insert(connection, caller.tenant_id, key, text.digest(), request)
            await record(connection, caller.tenant_id, "auth.create_api_key", resource=key.api_key_id)
        return key, opaque.api_key_text(text)

    async def page(self, caller: Caller, before: tuple[datetime, str], limit: int) -> list[ApiKey]:
        """The tenant's keys that go on, the newest first, older than `before`."""
        async with self._database.tenant(caller.tenant_id) as connection:
            return await apikey_store.list_live(connection, caller.tenant_id, moment(self._clock()), before, limit)

    async def revoke(self, caller: Caller, api_key_id: str) -> None:
        """End a key of the caller's tenant. Raises NotFound."""
        async with self._database.tenant(caller.tenant_id) as connection:
            ended = await apikey_store.end(connection, caller.tenant_id, api_key_id, moment(self._clock()))
            if ended:
                await record(connection, caller.tenant_id, "auth.revoke_api_key", resource=api_key_id)
        if not ended:
            raise NotFound("api_key")
        self.forget(api_key_id)

    def forget(self, owner: str) -> None:
        """Read the key of that id, or the keys of that user, again at their next use.

        So a change counts at once here; other replicas notice within `api_key_recheck_s`.
        """
        self._changes += 1
        gone = [key for key, (known, _) in self._known.items() if owner in (known.api_key_id, known.user_id)]
        for key in gone:
            del self._known[key]

    @property
    def _limit(self) -> int:
        return self._options.api_keys_per_tenant_max

    async def _read(self, text: str) -> Caller:
        key = opaque.parse_api_key(text)
        # A text that was refused never becomes a key: secrets are made by chance and end for good.
        if key is None or self._refused.get(_digest(text), 0.0) > self._clock():
            raise refused()
        now = moment(self._clock())
        async with self._database.tenant(key.tenant_id) as connection:
            stored = await apikey_store.for_check(connection, key.tenant_id, key.api_key_id, now)
            if stored is None or not hmac.compare_digest(stored.secret_hash, key.digest()):
                self._keep_refused(text)
                raise refused()
            await apikey_store.record_use(connection, key.tenant_id, key.api_key_id, now)
        return _caller(key.tenant_id, key.api_key_id, stored)

    def _keep_refused(self, text: str) -> None:
        while len(self._refused) >= _REFUSED_MAX:
            del self._refused[next(iter(self._refused))]
        self._refused[_digest(text)] = self._clock() + self._options.api_key_recheck_s

    async def _read_certificate(self, name: str) -> Caller:
        now = moment(self._clock())
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
        # Never more than its maker holds now: a key does not outlive a demotion.
        scopes=stored.scopes & scopes_of(stored.role),
        role=stored.role.value,
        api_key_id=api_key_id,
        expire_time_s=stored.expire_time.timestamp(),
    )


def _not_bound() -> Unauthenticated:
    return Unauthenticated(
        Reason.CREDENTIALS_MISSING,
        "the client certificate stands for no service account: have the operator bind it, or send `authorization`",
    )


def _same_request(earlier: tuple[ApiKey, bytes | None], new: NewApiKey) -> ApiKey:
    key, request_hash = earlier
    if request_hash != new.request_hash():
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, "this request id was used for another API key: use a new one")
    return key
