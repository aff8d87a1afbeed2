"""Redis, with short waits: a Redis that does not answer must not hold calls up."""

from __future__ import annotations

import asyncio

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError


def open_redis(url: str, *, timeout_s: float = 0.5, retries: int = 1, max_connections: int = 64) -> Redis:
    """A client of the server at `url`. Connects when first used; gives bytes.

    Each wait ends after `timeout_s`: for the server, and for a connection when all are in use. Then the driver raises
    redis.exceptions.RedisError. Its own default is ten retries, which makes nine seconds of half a second.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), retries),
        client_name="bossjy",
    )
    return Redis.from_pool(pool)


async def ping(redis: Redis, timeout_s: float = 1.0) -> bool:
    """Whether the server answers in time."""
    try:
        async with asyncio.timeout(timeout_s):
            return bool(await redis.ping())
    except (OSError, RedisError):
        return False
