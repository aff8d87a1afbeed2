"""How many questions all processes together may put to the provider, in a second and in a day: they cost money.

The counts are in Redis. Without it nothing is asked: neither the cache nor the count would bound what it costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.errors import Reason, ResourceExhausted, Unavailable

_DAY_S = 86_400
# Counts a question unless a limit is reached; says which. One slot of a cluster holds both keys.
_TAKE = """
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[2]) then return 'day' end
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 'second' end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 60)
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 172800)
return ''
"""


class Budget:
    """Counts by the second and by the UTC day, of this machine's clock."""

    def __init__(self, redis: Redis, per_second: int, per_day: int, clock: Callable[[], float] = time.time) -> None:
        self._redis, self._clock = redis, clock
        self._per_second, self._per_day = per_second, per_day

    async def take(self) -> None:
        """Count one question. Raises ResourceExhausted(LOOKUP_BUDGET_SPENT), Unavailable(LOOKUP_UNAVAILABLE)."""
        now = self._clock()
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        keys = (f"bossjy:{{lookup}}:second:{int(now)}", f"bossjy:{{lookup}}:day:{day}")
        try:
            spent: bytes = await self._redis.eval(_TAKE, 2, *keys, str(self._per_second), str(self._per_day))
        except RedisError as error:
            raise Unavailable(
                Reason.LOOKUP_UNAVAILABLE,
                "look-ups cannot be counted now, so none is made: call again after the stated delay",
                retry_after_s=1.0,
            ) from error
        if spent == b"day":
            raise _spent(self._per_day, "day", _DAY_S - now % _DAY_S)
        if spent == b"second":
            raise _spent(self._per_second, "second", 1 - now % 1)


def _spent(limit: int, per: str, wait_s: float) -> ResourceExhausted:
    return ResourceExhausted(
        Reason.LOOKUP_BUDGET_SPENT,
        f"this server asks about {limit} numbers a {per} at most: call again after the stated delay",
        metadata={"limit": str(limit), "per": per},
        retry_after_s=wait_s,
    )
