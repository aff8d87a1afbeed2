"""Ids of the tenants with the latest calls, in Redis: what a new process reads first. Without Redis there are none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from bossjy_server.storage.redis import GuardedRedis

_KEY, _MOST, _KEPT_S = "bossjy:recent-tenants", 500, 86_400


class RecentTenants:
    """The list. It has at most 500 ids, and ends a day after the last call."""

    def __init__(self, redis: GuardedRedis) -> None:
        self._redis = redis

    async def note(self, tenants: Sequence[str]) -> None:
        """Add tenants that have made calls."""
        if not tenants:
            return
        now = time.time()
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.zadd(_KEY, dict.fromkeys(tenants[-_MOST:], now))  # type: ignore[unused-awaitable] # only queued
        pipeline.zremrangebyrank(_KEY, 0, -_MOST - 1)  # type: ignore[unused-awaitable] # as above
        pipeline.expire(_KEY, _KEPT_S)  # type: ignore[unused-awaitable] # as above
        with suppress(RedisError):
            await pipeline.execute()

    async def read(self) -> list[str]:
        """The ids, the latest first."""
        with suppress(RedisError):
            found: list[Any] = list(await self._redis.zrevrange(_KEY, 0, _MOST - 1))
            return [one.decode() for one in found]
        return []
