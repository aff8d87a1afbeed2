"""The guard of the embedded parts: starts them, starts them again should they die, stops them when its server ends.

Run by `embedded.py` as `python -m bossjy_server.storage.guard FOLDER [--postgres] [--redis]`. It writes one line of
JSON to standard output (where the parts are, or an error), then watches: standard input at its end means that the
server is gone. The folder is locked for as long as the guard lives.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

from bossjy_server.errors import StartError
from bossjy_server.storage.embedded_postgres import EmbeddedPostgres
from bossjy_server.storage.embedded_redis import EmbeddedRedis

Part = EmbeddedPostgres | EmbeddedRedis

# How long a start waits for the guard of a server that has just ended, and for one that is still serving.
_WAIT_STOPPING_S, _WAIT_SERVING_S = 40.0, 3.0
# A part that dies is started again, so often within a minute.
_RESTARTS_A_MINUTE = 5
_WATCH_S = 0.1


def _lock(folder: Path) -> IO[str]:
    """Hold the folder. Raises StartError when another server serves from it."""
    lock = (folder / "lock").open("a+")
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            limit = _WAIT_STOPPING_S if lock.read().startswith("stopping") else _WAIT_SERVING_S
            if time.monotonic() - began > limit:
                raise StartError(
                    f"another server uses the data folder {folder}: stop it, or set BOSSJY_DATA_DIR to another folder"
                ) from None
            time.sleep(0.05)
        else:
            _say(lock, "serving")
            return lock


def _say(lock: IO[str], state: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(state + "\n")
    lock.flush()


def _watch(parts: list[Part], stop: list[int]) -> None:
    """Return when the server is gone, or when a part dies too often."""
    restarts: list[float] = []
    while not stop:
        readable, _, _ = select.select([sys.stdin], [], [], _WATCH_S)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            return
        for part in parts:
            if part.process.poll() is None:
                continue
            now = time.monotonic()
            restarts = [at for at in restarts if now - at < 60]
            if len(restarts) >= _RESTARTS_A_MINUTE:
                print(f"{part.name} died too often", file=sys.stderr, flush=True)
                return
            restarts.append(now)
            print(
                f"{part.name} died with {part.process.returncode}, starting it again",
                file=sys.stderr,
                flush=True,
            )
            try:
                part.start()
            except StartError as error:
                print(error, file=sys.stderr, flush=True)


def main() -> int:
    """Run until the server ends. Returns 0, or 1 when the parts could not be started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--redis", action="store_true")
    options = parser.parse_args()
    stop: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stop.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    parts: list[Part] = []
    try:
        lock = _lock(options.folder)
    except StartError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    try:
        told: dict[str, str | int] = {}
        if options.postgres:
            postgres = EmbeddedPostgres(options.folder)
            parts.append(postgres)
            told["database_url"] = postgres.start()
            told["database_pid"] = postgres.process.pid
        if options.redis:
            redis = EmbeddedRedis(options.folder)
            parts.append(redis)
            told["redis_url"] = redis.start()
            told["redis_pid"] = redis.process.pid
        print(json.dumps(told), flush=True)
        _watch(parts, stop)
    except StartError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    finally:
        _say(lock, "stopping")
        for part in reversed(parts):
            part.stop()
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
