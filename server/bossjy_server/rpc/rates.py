"""Rate limits by subject (a tenant, a user, an address), shared by all processes but counted in memory.

Each subject has one token bucket in Redis, and each process a share of it: with N active processes, each may take the
Nth part of the tokens in the bucket and of those that come back. Every `interval_s`, and immediately when a share runs
out, the processes report their consumption and read the remaining tokens. No call waits for that.

The error: calls that a process admitted but has not reported yet are unknown to the others. So in a window of w seconds
all processes together admit at most

    burst + rate · w + (N - 1) · (burst / N + 1 + rate · interval_s / N)

and the surplus is missing afterwards, because a bucket may owe as much as it holds. While Redis does not answer, each
process continues with its last share.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from bossjy_server.bounded import BoundedMap
from bossjy_server.rpc.options import RateOptions
from bossjy_server.tasks import end_task


class Use(NamedTuple):
    """The consumption of a process from one bucket: `rate` tokens come back a second, `burst` is the capacity."""

    key: str
    taken: int
    rate: float
    burst: float


# Reports consumption. Returns the remaining tokens of each bucket, and the number of processes. Raises OSError while
# the shared store does not answer.
Exchange = Callable[[Sequence[Use]], Awaitable[tuple[Sequence[float], int]]]


class Bucket:
    """This process's share of one subject's bucket."""

    __slots__ = ("at", "burst", "key", "listed", "per_minute", "rate", "taken", "tokens")

    def __init__(self, key: str, per_minute: int, burst: float, tokens: float, at: float) -> None:
        self.key, self.per_minute, self.rate = key, per_minute, per_minute / 60
        self.burst, self.tokens, self.at = burst, tokens, at
        self.taken = 0  # since the last exchange
        self.listed = False  # takes part in the next exchange


class Book:
    """The limiter of one kind of subject, for one class of methods."""

    def __init__(self, name: str, rates: Rates) -> None:
        self._name, self._rates = name, rates
        self._buckets = BoundedMap[str, Bucket](rates.options.subjects_max)

    def take(self, subject: str, per_minute: int) -> float:
        """Take one token. Returns 0, or the seconds until one may be available."""
        now = time.monotonic()
        bucket = self._buckets.get(subject)
        if bucket is None or bucket.per_minute != per_minute:
            bucket = self._open(subject, per_minute, now)
        rates = self._rates
        if not bucket.listed:
            bucket.listed = True
            rates.listed.append(bucket)
        rate = bucket.rate * rates.share
        tokens = min(bucket.tokens + (now - bucket.at) * rate, bucket.burst)
        bucket.at = now
        if tokens >= 1:
            bucket.tokens = tokens - 1
            bucket.taken += 1
            return 0.0
        bucket.tokens = tokens
        rates.hurry.set()
        return (1 - tokens) / rate

    def _open(self, subject: str, per_minute: int, now: float) -> Bucket:
        burst = max(1.0, per_minute / 60 * self._rates.options.burst_s)
        # Subjects are addresses and ids: the shared store gets only a digest of them.
        key = hashlib.blake2b(f"{self._name}\0{subject}\0{per_minute}".encode(), digest_size=16).hexdigest()
        bucket = Bucket(key, per_minute, burst, max(1.0, burst * self._rates.share), now)
        self._buckets.keep(subject, bucket)
        return bucket


class Rates:
    """All buckets of this process, and their exchange with the other processes. `share` is 1 / N."""

    def __init__(self, options: RateOptions, exchange: Exchange | None) -> None:
        self.options = options
        self.share = 1.0
        self.listed: list[Bucket] = []
        self.hurry = asyncio.Event()
        self._exchange = exchange

    def book(self, kind: str, name: str) -> Book:
        """The limiter of one kind of subject (`tenant`) and class of methods (`phone`)."""
        return Book(f"{kind}\0{name}", self)

    async def exchange(self) -> None:
        """Report the consumption since the last exchange and read the remaining tokens."""
        listed, self.listed = self.listed, []
        for start in range(0, max(1, len(listed)), self.options.exchange_max):
            await self._exchange_some(listed[start : start + self.options.exchange_max])

    async def _exchange_some(self, buckets: Sequence[Bucket]) -> None:
        uses = [Use(one.key, one.taken, one.rate, one.burst) for one in buckets]
        for one in buckets:
            one.taken, one.listed = 0, False
        if self._exchange is None:
            return
        try:
            left, processes = await self._exchange(uses)
        except OSError:
            for one, use in zip(buckets, uses, strict=True):
                one.taken += use.taken  # reported when the store answers again
            return
        self.share = 1 / max(1, processes)
        now = time.monotonic()
        for one, tokens in zip(buckets, left, strict=True):
            mine = max(tokens * self.share, min(tokens, 1.0))  # at least one whole token, if there is one
            one.tokens, one.at = max(0.0, mine - one.taken), now

    async def run(self) -> None:
        """Exchange until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.options.interval_s):
                    await self.hurry.wait()
            await self.exchange()
            self.hurry.clear()
            await asyncio.sleep(self.options.hurry_s)


@asynccontextmanager
async def open_rates(options: RateOptions, exchange: Exchange | None) -> AsyncIterator[Rates]:
    """Rates with exchanges in the background while the block runs. If `exchange` is None, this is the only process."""
    rates = Rates(options, exchange)
    task = asyncio.create_task(rates.run())
    try:
        yield rates
    finally:
        await end_task(task)
