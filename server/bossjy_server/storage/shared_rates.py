"""Shared token buckets of all processes in Redis: one script for many buckets, run in the background."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

_PREFIX = "bossjy:rates:1:"  # the number: the version of the format
_PROCESSES = _PREFIX + "processes"

# A bucket is one number: the time at which it is full again. KEYS: the set of processes, then the buckets. ARGV: this
# process, the seconds after which a silent process no longer counts, then for each bucket the tokens taken, its rate
# per second and its capacity. Returns the number of processes, then the remaining tokens of each bucket. That number is
# negative if the processes together took too many; a bucket owes at most its capacity.
_EXCHANGE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[2]) * 1000))
local answer = {redis.call('ZCARD', KEYS[1])}
for i = 2, #KEYS do
    local taken, rate, burst = tonumber(ARGV[3 * i - 3]), tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
    local full = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now) + taken / rate
    full = math.min(full, now + 2 * burst / rate)
    if full > now then
        redis.call('SET', KEYS[i], string.format('%.6f', full), 'PX', math.ceil((full - now) * 1000))
    end
    answer[i] = string.format('%.6f', burst - (full - now) * rate)
end
return answer
"""


class SharedRates:
    """The buckets of all processes, for one process."""

    def __init__(self, redis: Redis, silent_s: float = 5.0) -> None:
        """`silent_s`: a process that reported nothing for this time no longer counts."""
        self._redis, self._silent_s = redis, silent_s
        self._id = secrets.token_hex(8)
        self._script = redis.register_script(_EXCHANGE)

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
