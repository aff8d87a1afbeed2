"""The client of Redis: short waits, whatever the server does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from redis.exceptions import RedisError

from bossjy_server.storage.redis import open_redis, ping


async def test_a_server_that_does_not_answer_costs_two_waits_at_most() -> None:
    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = open_redis(f"redis://127.0.0.1:{port}", timeout_s=0.2)
    began = time.monotonic()
    with pytest.raises(RedisError):
        await redis.get("x")
    assert 0.2 <= time.monotonic() - began < 2
    assert not await ping(redis, timeout_s=0.1)
    await redis.aclose()
    server.close()


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    redis = open_redis("redis://127.0.0.1:1")
    assert not await ping(redis)
    await redis.aclose()


async def test_more_calls_than_connections_wait_for_their_turn(redis_url: str) -> None:
    redis = open_redis(redis_url, max_connections=2, timeout_s=10)
    assert sorted(await asyncio.gather(*(redis.incr("calls") for _ in range(50)))) == list(range(1, 51))
    blocked = open_redis(redis_url, max_connections=1, timeout_s=0.1)
    pool: Any = blocked.connection_pool
    taken = await pool.get_connection()
    with pytest.raises(RedisError):
        await blocked.get("x")
    await pool.release(taken)
    assert await blocked.get("x") is None
    await blocked.aclose()
    await redis.aclose()
