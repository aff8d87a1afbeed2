"""The cache on a real Redis: hits, single flight, invalidation by writes, and an unavailable Redis."""

from __future__ import annotations

import asyncio

import pytest

from bossjy_server.errors import NotFound
from bossjy_server.storage.cache import Cache, Loaded
from bossjy_server.storage.redis import GuardedRedis, open_redis


class Source:
    """The source of the cached value, which counts its reads."""

    def __init__(self, value: bytes | None = b"one") -> None:
        self.value, self.reads, self.keep = value, 0, True
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Loaded:
        self.reads += 1
        value = self.value
        await self.gate.wait()
        return Loaded(value, self.keep)


@pytest.fixture
def cache(redis: GuardedRedis) -> Cache:
    return Cache(redis, "test", ttl_s=5)


@pytest.fixture
def other(redis: GuardedRedis) -> Cache:
    """The cache of another process."""
    return Cache(redis, "test", ttl_s=5)


async def test_a_loaded_entry_is_returned_in_every_process(cache: Cache, other: Cache) -> None:
    source = Source()
    for one in (cache, cache, other):
        assert await one.get("group", "key", source) == b"one"
    assert source.reads == 1
    assert (cache.counts.hits, cache.counts.misses, other.counts.hits) == (1, 1, 1)


async def test_a_thing_that_is_not_there_is_remembered_too(cache: Cache) -> None:
    source = Source(None)
    assert [await cache.get("group", "key", source) for _ in range(3)] == [None] * 3
    assert source.reads == 1


async def test_a_write_is_seen_by_all_processes_and_only_in_its_group(cache: Cache, other: Cache) -> None:
    source, untouched = Source(), Source()
    await cache.get("group", "key", source)
    await cache.get("another", "key", untouched)
    source.value = b"two"
    await other.forget("group")
    assert await cache.get("group", "key", source) == b"two"
    assert await cache.get("another", "key", untouched) == b"one"
    assert untouched.reads == 1


async def test_data_read_before_a_write_is_not_returned_after_it(cache: Cache, other: Cache) -> None:
    source = Source()
    source.gate.clear()
    slow = asyncio.create_task(cache.get("group", "key", source))
    while not source.reads:
        await asyncio.sleep(0.01)
    source.value = b"two"
    await other.forget("group")
    source.gate.set()
    assert await slow == b"one"  # it began before the write
    assert await cache.get("group", "key", source) == b"two"
    assert await other.get("group", "key", source) == b"two"


async def test_of_many_that_miss_one_loads(cache: Cache) -> None:
    source = Source()
    source.gate.clear()
    waiting = [asyncio.create_task(cache.get("group", "key", source)) for _ in range(20)]
    while cache.joined < 19:
        await asyncio.sleep(0.01)
    waiting[0].cancel()  # the task that began the load ends: the others still get it
    source.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [b"one"] * 19
    assert source.reads == 1


async def test_uncacheable_results_are_not_cached(cache: Cache) -> None:
    source = Source()
    source.keep = False
    await cache.get("group", "key", source)
    await cache.get("group", "key", source)
    big = Source(b"x" * 300_000)
    await cache.get("group", "big", big)
    await cache.get("group", "big", big)
    assert (source.reads, big.reads) == (2, 2)


async def test_errors_of_a_load_reach_the_caller(cache: Cache) -> None:
    async def fail() -> Loaded:
        raise NotFound("thing")

    with pytest.raises(NotFound):
        await cache.get("group", "key", fail)


async def test_entries_end(redis: GuardedRedis) -> None:
    cache, source = Cache(redis, "test", ttl_s=0.05), Source()
    await cache.get("group", "key", source)
    await asyncio.sleep(0.1)
    await cache.get("group", "key", source)
    assert source.reads == 2


async def test_without_redis_everything_is_loaded() -> None:
    gone = open_redis("redis://127.0.0.1:1")
    cache, source = Cache(gone, "test"), Source()
    for _ in range(5):
        assert await cache.get("group", "key", source) == b"one"
        await cache.forget("group")
    assert (source.reads, cache.counts.bypassed) == (5, 5)
    await gone.aclose()


async def test_a_write_that_redis_did_not_accept_is_sent_later(redis: GuardedRedis, cache: Cache, other: Cache) -> None:
    source = Source()
    await cache.get("group", "key", source)
    source.value = b"two"
    redis.breaker.trip()
    await other.forget("group")
    redis.breaker.succeed()
    assert await other.get("group", "key", source) == b"two"
    assert await cache.get("group", "key", source) == b"two"
