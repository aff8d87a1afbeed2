"""The Redis client: short waits, whatever the server does."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from redis.exceptions import RedisError

from bossjy_server.storage.redis import open_redis, ping
from tests.integration.rpc.certificates import Authority


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
    assert 0.19 <= time.monotonic() - began < 2  # the loop's timers are exact to a millisecond
    assert not await ping(redis, timeout_s=0.1)
    await redis.aclose()
    server.close()


async def test_a_missing_server_is_reported_immediately() -> None:
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


@asynccontextmanager
async def _over_tls(redis_url: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port on loopback that forwards TLS connections to a Redis on a Unix socket."""
    path = unquote(urlsplit(redis_url).path)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("bare", [False, True])
async def test_a_private_authority_is_trusted_on_every_python(redis_url: str, tmp_path: Path, *, bare: bool) -> None:
    authority = Authority(bare=bare)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("redis").write(tmp_path))
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    (tmp_path / "other.pem").write_bytes(Authority(bare=bare).certificate)
    async with _over_tls(redis_url, context) as port:
        url = f"rediss://:{urlsplit(redis_url).password}@localhost:{port}"
        for file, trusted in (("ca.pem", True), ("other.pem", False)):
            redis = open_redis(f"{url}?ssl_ca_certs={tmp_path / file}", timeout_s=10)
            assert await ping(redis, timeout_s=20) is trusted
            await redis.aclose()
    strict = open_redis("rediss://h?ssl_include_verify_flags=[VERIFY_X509_STRICT]")
    assert "ssl_exclude_verify_flags" not in strict.connection_pool.connection_kwargs
    await strict.aclose()
