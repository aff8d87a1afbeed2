"""Throttling of failed logins by account and network, account, network and tenant. No lockout is permanent.

Each of them has a bucket of attempts that refills steadily. An attempt takes one from each before anything is computed,
so a thousand parallel guesses achieve no more than a thousand consecutive ones. A successful login returns them. Each
replica has its own buckets, and all replicas share those in Redis. While Redis does not answer in time, a replica
counts by itself. An account that does not exist has a bucket like any other.

An attacker who guesses from many networks empties the buckets of the account and of the tenant. A login from a network
with attempts left in its own buckets is still checked, but only the right password from a network known to the account
passes (`Throttle.login`). Every other answer is LOGIN_THROTTLED and takes the same time, so it reveals nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import BossjyError, Reason, ResourceExhausted
from bossjy_server.network import network_of
from bossjy_server.storage.rate_scripts import GIVE_BACK_ATTEMPT, TAKE_ATTEMPT

# The reasons that count against the buckets: the caller did not prove its identity.
_COUNTED = frozenset({Reason.LOGIN_REFUSED, Reason.LOGIN_THROTTLED})
_LOST = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The number of attempts that may fail in a burst, and the seconds after which one more may."""

    key: str
    size: int
    every_s: float


class Throttle:
    """The buckets of failed logins."""

    def __init__(
        self,
        redis: Redis | None,
        keys: Keys,
        options: AuthOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._options = options
        self._local = LocalBuckets(options.throttle_local_max, clock)

    @asynccontextmanager
    async def attempt(self, tenant_id: str, account: str, address: str) -> AsyncIterator[None]:
        """Check a password or code of a signed-in user inside the block. It counts like `login`.

        `account` is the user's id; `address` the caller's network address, possibly empty. The tenant's bucket does not
        count: an attacker who guesses at logins must not block users who are signed in. Raises
        ResourceExhausted(LOGIN_THROTTLED) with the time to wait.
        """
        network = network_of(address)
        own, whole, _ = self._of_account(tenant_id, account, network)
        async with self._counted([own, whole, *self._of_network(network)], []):
            yield

    @asynccontextmanager
    async def login(self, tenant_id: str, account: str, address: str) -> AsyncIterator[float]:
        """Check a login inside the block. It counts if the block raises LOGIN_REFUSED, LOGIN_THROTTLED or is cancelled.

        `account` is the mail address's key. Yields 0, or the seconds to wait for the account or its tenant: then only
        the right password from a known network may pass, and the block raises `throttled` for all else. Raises
        ResourceExhausted(LOGIN_THROTTLED) if the network's own attempts are used up.
        """
        network = network_of(address)
        own, *whole = self._of_account(tenant_id, account, network)
        async with self._counted([own, *self._of_network(network)], whole) as wait_s:
            yield wait_s

    @asynccontextmanager
    async def _counted(self, refusing: Sequence[Bucket], others: Sequence[Bucket]) -> AsyncIterator[float]:
        refused_s, wait_s = await self._take(refusing, others)
        if refused_s > 0:
            raise throttled(refused_s)
        taken = refusing if wait_s > 0 else [*refusing, *others]
        try:
            yield wait_s
        except BossjyError as error:
            if error.reason not in _COUNTED:
                await self._give_back(taken)
            raise
        await self._give_back(taken)

    def _of_account(self, tenant_id: str, account: str, network: str) -> tuple[Bucket, Bucket, Bucket]:
        """Buckets of an account for one network and for all, and of its tenant."""
        o = self._options
        size_of_all = max(o.account_failures_of_all, o.account_failures)
        return (
            Bucket(self._name("network", tenant_id, account, network), o.account_failures, o.account_failure_s),
            Bucket(self._name("account", tenant_id, account), size_of_all, o.account_failure_of_all_s),
            Bucket(self._name("tenant", tenant_id), o.tenant_failures, o.tenant_failure_s),
        )

    def _of_network(self, network: str) -> list[Bucket]:
        """The bucket of a network over all accounts, if it is known and has a limit."""
        o = self._options
        if not network or not o.address_failures:
            return []
        return [Bucket(self._name("address", network), o.address_failures, o.address_failure_s)]

    async def _give_back(self, buckets: Sequence[Bucket]) -> None:
        """Return one attempt."""
        if self._redis is not None:
            with suppress(*_LOST):  # the bucket refills by itself
                await self._run(self._redis, GIVE_BACK_ATTEMPT, buckets, len(buckets))
        self._local.give_back(buckets)

    async def _take(self, refusing: Sequence[Bucket], others: Sequence[Bucket]) -> tuple[float, float]:
        """Take an attempt from the buckets that refuse and, if all have one, from the others. Returns both waits."""
        # The local count of this replica is enough to refuse, which costs no round trip in a flood.
        refused_s = self._local.take(refusing)
        if refused_s > 0:
            return refused_s, 0.0
        wait_s = self._local.take(others) if others else 0.0
        if self._redis is None:
            return 0.0, wait_s
        asked = refusing if wait_s > 0 else [*refusing, *others]
        try:
            answer = await self._run(self._redis, TAKE_ATTEMPT, asked, len(refusing))
        except _LOST:
            return 0.0, wait_s  # a login must not depend on Redis: this replica counts by itself until Redis is back
        refused_s, shared_s = map(float, answer)
        if refused_s > 0:
            self._local.give_back(asked)
        elif shared_s > 0:
            self._local.give_back(others)
        return refused_s, max(wait_s, shared_s)

    async def _run(self, redis: Redis, script: str, buckets: Sequence[Bucket], refusing: int) -> list[bytes]:
        names = [bucket.key for bucket in buckets]
        sizes = [str(value) for bucket in buckets for value in (bucket.size, bucket.every_s)]
        async with asyncio.timeout(self._options.throttle_redis_timeout_s):
            answer: list[bytes] = await redis.eval(script, len(buckets), *names, str(refusing), *sizes)
        return answer

    def _name(self, kind: str, *parts: str) -> str:
        """A key that reveals no mail or network address to a reader of Redis."""
        digest = self._keys.mac(f"throttle-{kind}", *(part.encode() for part in parts))
        return f"bossjy:auth:failures:{kind}:{digest[:16].hex()}"


def throttled(wait_s: float) -> ResourceExhausted:
    """The answer to a login that must wait."""
    return ResourceExhausted(
        Reason.LOGIN_THROTTLED,
        "too many failed logins: wait before the next one; no account is locked permanently",
        retry_after_s=wait_s,
    )


class LocalBuckets:
    """The same buckets in the memory of one replica: at most `limit`, the oldest is forgotten first."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full_at = BoundedMap[str, float](limit)

    def take(self, buckets: Sequence[Bucket]) -> float:
        """Take one from each bucket and return 0, or take none and return the seconds to wait."""
        now = self._clock()
        full_at = [max(self._full_at.get(b.key, now), now) + b.every_s for b in buckets]
        wait = max(full - now - b.size * b.every_s for full, b in zip(full_at, buckets, strict=True))
        if wait > 1e-6:
            return wait
        for full, bucket in zip(full_at, buckets, strict=True):
            self._full_at.keep(bucket.key, full)
        return 0.0

    def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Return one to each bucket that is known here."""
        for bucket in buckets:
            if bucket.key in self._full_at:
                self._full_at[bucket.key] -= bucket.every_s
