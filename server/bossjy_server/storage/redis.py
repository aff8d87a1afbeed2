"""Redis client with short waits and a breaker: a Redis that does not answer must not delay calls."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError  # noqa: A004 - redis-py's own

from bossjy_server import spans
from bossjy_server.context import call_or_none, remaining_s
from bossjy_server.storage.breaker import Breaker, BreakerOpen

# Errors of a server that does not serve. An error in a command or a script is not among them.
_LOST = (ConnectionError, TimeoutError, BusyLoadingError, OSError)
# A caller that gave up after this time shows that the server is slow.
_SLOW_S = 0.2


class RedisLeftAlone(ConnectionError):
    """The breaker is open: the command was not sent."""


class GuardedRedis(Redis):
    """A client whose commands go through a breaker and end with the caller's deadline."""

    breaker: Breaker
    timeout_s: float

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command."""
        name = str(args[0]) if args else ""
        return await _guarded(name, self.breaker, self.timeout_s, super().execute_command, *args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's own
        """Commands that are sent together."""
        pipeline = GuardedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.breaker, pipeline.timeout_s = self.breaker, self.timeout_s
        return pipeline


class GuardedPipeline(Pipeline):
    """The same for commands that are sent together."""

    breaker: Breaker
    timeout_s: float

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's own
        """Send the queued commands."""
        answer: list[Any] = await _guarded("PIPELINE", self.breaker, self.timeout_s, super().execute, raise_on_error)
        return answer


async def _guarded(name: str, breaker: Breaker, timeout_s: float, work: Any, *args: Any, **options: Any) -> Any:
    """One use of the server, with a span if the call is sampled."""
    call = call_or_none()
    if call is None or call.tracer is None:
        return await _use(breaker, timeout_s, work, *args, **options)
    span = spans.begin(name, {"db.system.name": "redis", "db.operation.name": name})
    try:
        answer = await _use(breaker, timeout_s, work, *args, **options)
    except BaseException as error:
        if span is not None:
            spans.end(span, error)
        raise
    if span is not None:
        spans.end(span)
    return answer


async def _use(breaker: Breaker, timeout_s: float, work: Any, *args: Any, **options: Any) -> Any:
    """One use of the server. Raises only redis.exceptions.RedisError, so that callers handle one class."""
    limit = remaining_s(2 * timeout_s)  # the driver's own waits come first, with one repetition
    if limit <= 0:
        raise TimeoutError("the call has no time left")
    try:
        breaker.admit()
    except BreakerOpen as error:
        raise RedisLeftAlone(str(error)) from error
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            answer = await work(*args, **options)
    except asyncio.CancelledError:
        breaker.fail() if time.monotonic() - began > _SLOW_S else breaker.abandon()
        raise
    except _LOST as error:
        breaker.fail()
        raise error if isinstance(error, RedisError) else TimeoutError(str(error)) from error
    except BaseException:
        breaker.succeed()  # it answered, even if it rejected the command
        raise
    breaker.succeed()
    return answer


def open_redis(
    url: str, *, timeout_s: float = 0.5, retries: int = 1, max_connections: int = 64, breaker: Breaker | None = None
) -> GuardedRedis:
    """A client of the server at `url`. Connects on first use; returns bytes.

    Each wait ends after `timeout_s`: for the server, and for a connection if all are in use. Then the driver raises
    redis.exceptions.RedisError. A broken connection is retried once (`retries`). A wait that timed out is not, because
    a server that does not answer would be waited for again and again. The driver's own default is ten retries. While
    `breaker` is open, commands fail immediately with RedisLeftAlone, which is also a RedisError.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), retries, supported_errors=(ConnectionError,)),
        client_name="bossjy",
        **_tls_options(url),
    )
    client = GuardedRedis(connection_pool=pool)
    client.auto_close_connection_pool = True  # like from_pool
    client.breaker = breaker or Breaker("redis")
    client.timeout_s = timeout_s
    return client


def _tls_options(url: str) -> dict[str, Any]:
    """Certificate checks that are the same on every Python. The URL can override them.

    Python 3.13 refuses certificates of many private authorities: those without key identifiers.
    """
    if not url.startswith("rediss:") or "_verify_flags=" in url:
        return {}
    return {"ssl_exclude_verify_flags": [ssl.VerifyFlags.VERIFY_X509_STRICT]}


async def ping(redis: Redis, timeout_s: float = 1.0) -> bool:
    """True if the server answers in time. False while the breaker is open, until it admits a trial."""
    try:
        async with asyncio.timeout(timeout_s):
            return bool(await redis.ping())
    except (OSError, RedisError):
        return False
