"""Trace contexts of the calls that created imports, in Redis for a week, so that later streams link to them.

Only sampled calls use it. Without Redis a span lacks its link, and nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from bossjy_server import spans
from bossjy_server.storage.redis import GuardedRedis

_KEPT_S = 7 * 86_400


class Origins:
    """The contexts, by tenant and import."""

    def __init__(self, redis: GuardedRedis) -> None:
        self._redis = redis

    async def keep(self, tenant_id: str, import_id: str) -> None:
        """Keep the context of the running call, which created the import."""
        parent = spans.traceparent()
        if parent:
            with suppress(RedisError):
                await self._redis.set(_key(tenant_id, import_id), parent, ex=_KEPT_S)

    async def link(self, tenant_id: str, import_id: str) -> None:
        """Link the span of the running call to the one that created the import."""
        if spans.traceparent():
            with suppress(RedisError):
                kept: Any = await self._redis.get(_key(tenant_id, import_id))
                if kept:
                    spans.link(kept.decode(), {"bossjy.import_id": import_id})


def _key(tenant_id: str, import_id: str) -> str:
    return f"bossjy:import-origin:{tenant_id}:{import_id}"
