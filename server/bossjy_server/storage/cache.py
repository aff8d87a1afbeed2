"""Redis cache for expensive answers, shared by all processes, so a new process finds it warm.

An entry is kept for `ttl_s`, plus or minus a tenth, so that entries stored together do not expire together. Entries
belong to a group (a tenant's contacts, say). A write increments the group's version, and an entry contains the version
under which it was read. So data read before a write is never returned after it, even if it is stored later. If several
tasks of one process miss the same entry, one loads it and the others wait.

Without Redis everything is loaded, and nothing fails. If Redis did not accept the increment of a write, other processes
may return older entries until these expire: `ttl_s` is the bound, and the only one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from bossjy_server.bounded import BoundedMap
from bossjy_server.storage.redis import GuardedRedis
from bossjy_server.storage.single_flight import SingleFlight

# Entries of releases with another format are never read. Increase it when the meaning of entries changes.
_SCHEMA = 1
_NOTHING, _VALUE = b"-", b"+"
_MOST_UNTOLD = 10_000
_LOST = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load: the bytes, or None for a missing thing; and if it may be cached."""

    value: bytes | None
    keep: bool = True


@dataclass(slots=True)
class CacheCounts:
    """Counts of look-ups by result, and the bytes of stored entries."""

    hits: int = 0
    misses: int = 0
    bypassed: int = 0  # Redis did not answer
    stored_bytes: int = 0


class Cache:
    """Entries of one kind. `name` is part of every key; values over `most_bytes` are not cached."""

    def __init__(
        self,
        redis: GuardedRedis,
        name: str,
        *,
        ttl_s: float = 30.0,
        nothing_ttl_s: float = 3.0,
        most_bytes: int = 256 * 1024,
    ) -> None:
        self.name = name
        self.counts = CacheCounts()
        self._redis = redis
        self._prefix = f"bossjy:cache:{_SCHEMA}:{name}"
        self._ttl_s, self._nothing_ttl_s, self._most_bytes = ttl_s, nothing_ttl_s, most_bytes
        self._loading = SingleFlight[str, Loaded]()
        self._untold = BoundedMap[str, None](
            _MOST_UNTOLD
        )  # groups whose increment Redis has not accepted yet, in order

    async def get(self, group: str, key: str, load: Callable[[], Coroutine[Any, Any, Loaded]]) -> bytes | None:
        """The entry, loaded if necessary; None for a missing thing. Raises the errors of `load`."""
        version_key, entry_key = self._keys(group, key)
        try:
            await self._tell()
            answer: list[Any] = list(await self._redis.mget(version_key, entry_key))
        except _LOST:
            self.counts.bypassed += 1
            return (await self._loading.run(entry_key, load)).value
        version: bytes = answer[0] or b"0"
        entry: bytes | None = answer[1]
        if entry is not None and entry.startswith(version + b":"):
            self.counts.hits += 1
            found = entry[len(version) + 1 :]
            return None if found[:1] == _NOTHING else found[1:]
        self.counts.misses += 1
        # By version: a load that began before a write must not serve a caller that came after it.
        loaded = await self._loading.run(f"{entry_key}:{version.decode()}", load)
        if loaded.keep and len(loaded.value or b"") <= self._most_bytes:
            await self._store(entry_key, version, loaded.value)
        return loaded.value

    @property
    def joined(self) -> int:
        """The number of look-ups that waited for another's load."""
        return self._loading.joined

    async def forget(self, group: str) -> None:
        """Invalidate a group. Call this after the commit of a write, before its caller gets an answer."""
        try:
            await self._bump(group)
        except _LOST:
            self._leave(group)

    def _leave(self, group: str) -> None:
        self._untold.keep(group, None)

    async def _tell(self) -> None:
        """Increment the versions whose increment failed earlier. Raises the errors of Redis."""
        while self._untold:
            group = next(iter(self._untold))
            del self._untold[group]
            try:
                await self._bump(group)
            except BaseException:
                self._leave(group)
                raise

    async def _bump(self, group: str) -> None:
        version_key, _ = self._keys(group, "")
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.incr(version_key)  # type: ignore[unused-awaitable] # a pipeline only queues it
        # It outlives every entry that was stored under it.
        pipeline.expire(version_key, int(10 * self._ttl_s) + 60)  # type: ignore[unused-awaitable] # as above
        await pipeline.execute()

    async def _store(self, entry_key: str, version: bytes, value: bytes | None) -> None:
        entry = version + b":" + (_NOTHING if value is None else _VALUE + value)
        ttl_s = (self._nothing_ttl_s if value is None else self._ttl_s) * random.uniform(0.9, 1.1)  # noqa: S311 - spread
        with suppress(*_LOST):
            await self._redis.set(entry_key, entry, px=int(ttl_s * 1000))
            self.counts.stored_bytes += len(entry)

    def _keys(self, group: str, key: str) -> tuple[str, str]:
        return f"{self._prefix}:{group}:version", f"{self._prefix}:{group}:entry:{key}"
