"""Shared token buckets of all processes in Redis: one script for many buckets, run in the background."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.storage.rate_scripts import EXCHANGE_TOKENS

_PREFIX = "bossjy:rates:1:"  # the number: the version of the format
_PROCESSES = _PREFIX + "processes"


class SharedRates:
    """The buckets of all processes, for one process."""

    def __init__(self, redis: Redis, silent_s: float = 5.0) -> None:
        """`silent_s`: a process that reported nothing for this time no longer counts."""
        self._redis, self._silent_s = redis, silent_s
        self._id = secrets.token_hex(8)
        self._script = redis.register_script(EXCHANGE_TOKENS)

    async def exchange(self, uses: Sequence[tuple[str, int, float, float]]) -> tuple[list[float], int]:
        """Report consumption: (key, tokens, rate per second, capacity) for each bucket.

        Returns the remaining tokens of each and the number of processes. Raises ConnectionError.
        """
        arguments: list[str | float] = [self._id, self._silent_s]
        for _, taken, rate, burst in uses:
            arguments += [taken, rate, burst]
        keys = [_PROCESSES, *(_PREFIX + use[0] for use in uses)]
        try:
            processes, *left = await self._script(keys=keys, args=arguments)
        except RedisError as error:
            raise ConnectionError("Redis does not answer") from error
        return [float(one) for one in left], int(processes)

    async def leave(self) -> None:
        """End this process's part: its share goes to the others immediately, if Redis answers."""
        try:
            await self._redis.zrem(_PROCESSES, self._id)
        except RedisError:
            return  # after `silent_s` it no longer counts in any case
