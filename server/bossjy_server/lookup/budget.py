"""Budget of queries to the provider, for all processes and tenants together and per tenant: queries cost money.

The counts are in Redis. Without it there are no queries: neither the cache nor the count would bound their cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.errors import Reason, ResourceExhausted, Unavailable
from bossjy_server.storage.rate_scripts import COUNT_LOOKUP

_DAY_S = 86_400


class Budget:
    """Counts by the second and by the UTC day, of this machine's clock.

    `tenant_per_day`: the part of a day's queries for one tenant; 0: all of them.
    """

    def __init__(
        self,
        redis: Redis,
        per_second: int,
        per_day: int,
        *,
        tenant_per_day: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis, self._clock = redis, clock
        self._per_second, self._per_day, self._tenant_per_day = per_second, per_day, tenant_per_day

    async def take(self, tenant_id: str) -> None:
        """Count a query of a tenant.

        Raises ResourceExhausted(LOOKUP_BUDGET_SPENT), Unavailable(LOOKUP_UNAVAILABLE).
        """
        now = self._clock()
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        keys = [f"bossjy:{{lookup}}:{one}" for one in (f"second:{int(now)}", f"day:{day}", f"tenant:{day}:{tenant_id}")]
        limits = [str(one) for one in (self._per_second, self._per_day, self._tenant_per_day)]
        try:
            spent: bytes = await self._redis.eval(COUNT_LOOKUP, len(keys), *keys, *limits)
        except RedisError as error:
            raise Unavailable(
                Reason.LOOKUP_UNAVAILABLE,
                "look-ups cannot be counted now, so none are made: call again after the stated delay",
                retry_after_s=1.0,
            ) from error
        if spent == b"day":
            raise _spent("server", self._per_day, "day", _DAY_S - now % _DAY_S)
        if spent == b"tenant":
            raise _spent("tenant", self._tenant_per_day, "day", _DAY_S - now % _DAY_S)
        if spent == b"second":
            raise _spent("server", self._per_second, "second", 1 - now % 1)


def _spent(subject: str, limit: int, per: str, wait_s: float) -> ResourceExhausted:
    whose = "your tenant" if subject == "tenant" else "this server"
    return ResourceExhausted(
        Reason.LOOKUP_BUDGET_SPENT,
        f"{whose} asks about {limit} numbers a {per} at most: call again after the stated delay",
        metadata={"limit": str(limit), "per": per, "subject": subject},
        retry_after_s=wait_s,
    )
