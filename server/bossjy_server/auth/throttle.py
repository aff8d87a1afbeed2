"""Failed logins are slowed down: by account, by address and by tenant. Nobody is ever locked out for good.

Each of the three has a bucket of attempts that fills again steadily. An attempt takes one from each before
anything is computed, so a thousand parallel guesses get no further than a thousand in a row; a login that
succeeds gives them back. Each replica has buckets of its own and all share those in Redis; while Redis does
not answer in time, a replica counts alone. An account that does not exist has a bucket like any other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.auth.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import BossjyError, Reason, ResourceExhausted

_LOST = (RedisError, OSError, TimeoutError)

# A bucket is one number: the time at which it would be full again (the generic cell rate algorithm). All
# buckets are looked at before one is changed. Keys: the buckets. Arguments: for each how many attempts it
# holds, and the seconds in which one comes back. Gives the seconds to wait, 0 if the attempt was taken.
_TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local wait = 0
local full = {}
for i, key in ipairs(KEYS) do
    local size, every = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    full[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) + every
    wait = math.max(wait, full[i] - now - size * every)
end
if wait > 0.000001 then return tostring(wait) end
for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.6f', full[i]), 'PX', math.ceil((full[i] - now) * 1000))
end
return '0'
"""

# Gives one attempt back to each bucket.
_GIVE_BACK = """
for i, key in ipairs(KEYS) do
    local full = redis.call('GET', key) if full then redis.call('SET', key, string.format('%.6f',
    tonumber(full) - tonumber(ARGV[2 * i])), 'KEEPTTL') end
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many attempts may fail at once, and after how many seconds one more may."""

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
        """Check a password inside of it. It counts if the block raises LOGIN_REFUSED or is cancelled.

        `account` is the mail address's key or the user's id; `address` the caller's network address, may be
        empty. Raises ResourceExhausted(LOGIN_THROTTLED) that says how long to wait.
        """
        o = self._options
        buckets = [
            Bucket(self._name("account", tenant_id, account), o.account_failures, o.account_failure_s),
            Bucket(self._name("tenant", tenant_id), o.tenant_failures, o.tenant_failure_s),
        ]
        if address:
            buckets.append(Bucket(self._name("address", address), o.address_failures, o.address_failure_s))
        wait_s = await self._take(buckets)
        if wait_s > 0:
            raise ResourceExhausted(
                Reason.LOGIN_THROTTLED,
                "too many failed logins: wait before the next one; nothing is locked for good",
                retry_after_s=wait_s,
            )
        try:
            yield
        except BossjyError as error:
            if error.reason is not Reason.LOGIN_REFUSED:
                await self._give_back(buckets)
            raise
        await self._give_back(buckets)

    async def _give_back(self, buckets: Sequence[Bucket]) -> None:
        """Undo one attempt."""
        if self._redis is not None:
            with suppress(*_LOST):  # the bucket fills again by itself
                await self._run(self._redis, _GIVE_BACK, buckets)
        self._local.give_back(buckets)

    async def _take(self, buckets: Sequence[Bucket]) -> float:
        # What this replica counted alone is enough to refuse, which costs no round trip in a flood.
        wait_s = self._local.take(buckets)
        if wait_s > 0 or self._redis is None:
            return wait_s
        try:
            wait_s = float(await self._run(self._redis, _TAKE, buckets))
        except _LOST:
            return 0.0  # a login must not depend on Redis: this replica counts alone until it is back
        if wait_s > 0:
            self._local.give_back(buckets)
        return wait_s

    async def _run(self, redis: Redis, script: str, buckets: Sequence[Bucket]) -> bytes:
        names = [bucket.key for bucket in buckets]
        sizes = [str(value) for bucket in buckets for value in (bucket.size, bucket.every_s)]
        async with asyncio.timeout(self._options.throttle_redis_timeout_s):
            answer: bytes = await redis.eval(script, len(buckets), *names, *sizes)
        return answer

    def _name(self, kind: str, *parts: str) -> str:
        """A key that gives no mail or network address away to who can read Redis."""
        digest = self._keys.mac(f"throttle-{kind}", *(part.encode() for part in parts))
        return f"bossjy:auth:failures:{kind}:{digest[:16].hex()}"


class LocalBuckets:
    """The same buckets in the memory of one replica: at most `limit`, the oldest is forgotten first."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, buckets: Sequence[Bucket]) -> float:
        """Take one from each bucket and give 0, or take none and give the seconds to wait."""
        now = self._clock()
        full_at = [max(self._full_at.get(b.key, now), now) + b.every_s for b in buckets]
        wait = max(full - now - b.size * b.every_s for full, b in zip(full_at, buckets, strict=True))
        if wait > 1e-6:
            return wait
        for full, bucket in zip(full_at, buckets, strict=True):
            self._full_at.pop(bucket.key, None)
            while len(self._full_at) >= self._limit:
                del self._full_at[next(iter(self._full_at))]
            self._full_at[bucket.key] = full
        return 0.0

    def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Give one back to each bucket that is known here."""
        for bucket in buckets:
            if bucket.key in self._full_at:
                self._full_at[bucket.key] -= bucket.every_s
