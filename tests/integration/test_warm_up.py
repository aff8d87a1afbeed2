"""Warm-up: what a process has loaded before it serves, its bound, and its end without dependencies."""

from __future__ import annotations

import asyncio
import io
import json
import time
from pathlib import Path

import grpc.aio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy_server.app import running
from bossjy_server.config import read_settings
from bossjy_server.errors import Reason, Unavailable
from bossjy_server.storage.recent import RecentTenants
from bossjy_server.storage.redis import open_redis
from bossjy_server.tasks import end_task
from bossjy_server.telemetry.logging import Log
from bossjy_server.warm_up import warm_up
from tests import metrics
from tests.parts import service_url
from tests.ports import free_port
from tests.service import serve


async def test_the_latest_tenants_are_kept_and_bounded(redis_url: str) -> None:
    redis = open_redis(redis_url)
    recent = RecentTenants(redis)
    assert await recent.read() == []
    await recent.note([])
    await recent.note([f"t{number:03d}" for number in range(600)])
    await recent.note(["last"])
    read = await recent.read()
    assert read[0] == "last"
    assert len(read) == 500
    assert "t099" not in read
    await redis.aclose()
    lost = open_redis("redis://127.0.0.1:1")
    await RecentTenants(lost).note(["a"])
    assert await RecentTenants(lost).read() == []
    await lost.aclose()


async def test_a_slow_part_ends_the_wait_and_continues() -> None:
    console = io.StringIO()
    log, free = Log(console=console, flush_s=0.01), asyncio.Event()

    async def slow() -> None:
        await free.wait()

    async def broken() -> None:
        raise Unavailable(Reason.DATABASE_UNAVAILABLE, "away")

    began = time.monotonic()
    task = await warm_up({"slow": slow, "broken": broken}, 0.1, log)
    assert 0.09 <= time.monotonic() - began < 10  # the loop's timers are exact to a millisecond
    assert not task.done()
    free.set()
    await asyncio.wait_for(task, 10)
    ended = await warm_up({"slow": asyncio.Event().wait}, 0.01, log)
    await end_task(ended)
    log.close()
    events = [json.loads(line) for line in console.getvalue().splitlines()]
    assert [(one["event"], one.get("part")) for one in events] == [("not warm", "broken"), ("warm", None)]


async def test_a_server_is_warm_before_it_serves(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async for service in serve(database_url, redis_url, tmp_path, BOSSJY_WARM_UP_S="60"):
        stub = auth_service_pb2_grpc.AuthServiceStub(service.channel)
        await stub.GetMe(auth_service_pb2.GetMeRequest(), metadata=service.metadata)
        log = service.settings.process.data_dir / "logs" / "bossjy.log"
        async with asyncio.timeout(30):
            while "serving" not in (text := log.read_text("utf-8")):
                await asyncio.sleep(0.05)
        events = [json.loads(line)["event"] for line in text.splitlines()]
        assert events.index("warm") < events.index("serving")


async def test_a_restarted_server_has_limits_and_counts_of_the_latest_tenants(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    metrics_port, key = free_port(), (("authorization", ""),)
    async for service in serve(database_url, redis_url, tmp_path):
        stub = auth_service_pb2_grpc.AuthServiceStub(service.channel)
        made = await stub.CreateApiKey(
            auth_service_pb2.CreateApiKeyRequest(display_name="k", scopes=["contacts.read"]), metadata=service.metadata
        )
        key = (("authorization", f"Bearer {made.secret}"),)
        contacts = contact_service_pb2_grpc.ContactServiceStub(service.channel)
        await contacts.GetContactStats(contact_service_pb2.GetContactStatsRequest(), metadata=key)
        redis = open_redis(redis_url)
        await RecentTenants(redis).note([service.tenant_id])
        keys = [name async for name in redis.scan_iter("bossjy:cache:*:entry:*")]
        await redis.delete(*keys)  # as if the counts had expired during the restart
        await redis.aclose()
    settings = read_settings(
        {
            "DATABASE_URL": service_url(database_url),
            "DATABASE_ADMIN_URL": database_url,
            "REDIS_URL": redis_url,
            "BOSSJY_DATA_DIR": str(tmp_path / "data"),
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": str(metrics_port),
            "BOSSJY_WARM_UP_S": "60",
            "BOSSJY_LOG_CONSOLE": "off",
        }
    )
    async with running(settings) as served, grpc.aio.insecure_channel(served.address) as channel:
        before = await asyncio.to_thread(look_ups, metrics_port)
        assert before["contact-stats", "miss"] == 1  # the warm-up's own
        contacts = contact_service_pb2_grpc.ContactServiceStub(channel)
        await contacts.GetContactStats(contact_service_pb2.GetContactStatsRequest(), metadata=key)
        after = await asyncio.to_thread(look_ups, metrics_port)
    # A key is read again after three seconds, so tests/integration/auth/test_api_key_reads.py sets the clock.
    assert after["api-keys", "hit"] + after["api-keys", "miss"] == 1
    for cache in ("tenant-limits", "contact-stats"):
        assert (after[cache, "hit"], after[cache, "miss"] - before[cache, "miss"]) == (1, 0), cache


def look_ups(port: int) -> dict[tuple[str, str], float]:
    """Look-ups of each cache by their result."""
    found = [one for one in metrics.samples(port) if one.name == "bossjy_cache_requests_total"]
    return {(one.labels["cache"], one.labels["result"]): one.value for one in found}
