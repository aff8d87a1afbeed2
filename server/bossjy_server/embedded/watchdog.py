"""Watchdog of the embedded servers: starts them, restarts them if they die, stops them when its server ends.

Run by `embedded.py` as `python -m bossjy_server.embedded.watchdog FOLDER [--postgres] [--redis]`. It writes one line of
JSON to standard output (the addresses of the servers, or an error), then watches: the end of standard input means that
its server is gone. The folder is locked for as long as the watchdog lives.
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
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

from bossjy_server.embedded.postgres_server import EmbeddedPostgres
from bossjy_server.embedded.redis_server import EmbeddedRedis
from bossjy_server.embedded.system import remove_socket_folder
from bossjy_server.errors import StartError

Part = EmbeddedPostgres | EmbeddedRedis

# The time that a start waits for a running watchdog, whose server may have ended at this very moment.
_WAIT_SERVING_S = 3.0
# A server that dies is restarted, this many times within a minute, after a growing wait.
_RESTARTS_A_MINUTE = 5
_RESTART_WAIT_S = 0.2
_WATCH_S, _TIDY_S = 0.1, 30.0


def server_ended() -> Callable[[float], bool]:
    """A check, with a maximum wait in seconds, that returns true if the server has ended."""
    server = os.getppid()

    def ended(wait_s: float) -> bool:
        readable, _, _ = select.select([sys.stdin], [], [], wait_s)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            return True
        # A child that the server forked has a copy of the pipe, and may outlive it.
        return os.getppid() != server

    return ended


def hold(folder: Path, wait_s: float, ended: Callable[[float], bool]) -> IO[str]:
    """Lock the folder. Waits `wait_s` for a watchdog that is stopping. Raises StartError if another server runs."""
    lock = (folder / "lock").open("a+")
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            limit = wait_s if lock.read().startswith("stopping") else min(wait_s, _WAIT_SERVING_S)
            if time.monotonic() - began > limit:
                raise StartError(
                    f"another server uses the data folder {folder}: stop it, or set BOSSJY_DATA_DIR to another folder"
                ) from None
            if ended(0.05):
                raise StartError("the server ended while it waited") from None
        else:
            _say(lock, "serving")
            return lock


def _say(lock: IO[str], state: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(state + "\n")
    lock.flush()


def _log(text: object) -> None:
    print(text, file=sys.stderr, flush=True)


def _watch(parts: list[Part], stop: list[int], ended: Callable[[float], bool]) -> None:
    """Return when the server is gone, or when an embedded server dies too often."""
    restarts: list[float] = []
    tidied = time.monotonic()
    while not stop and not ended(_WATCH_S):
        now = time.monotonic()
        if now - tidied > _TIDY_S:
            tidied = now
            for part in parts:
                part.tidy()
        for part in parts:
            if part.process.poll() is None:
                continue
            restarts = [at for at in restarts if now - at < 60]
            if len(restarts) >= _RESTARTS_A_MINUTE:
                _log(f"{part.name} died too often")
                return
            if ended(_RESTART_WAIT_S * len(restarts)):
                return
            restarts.append(now)
            _log(f"{part.name} died with {part.process.returncode}, restarting it")
            try:
                part.start()
            except StartError as error:
                _log(error)


def _start(folder: Path, parts: list[Part], *, postgres: bool, redis: bool) -> dict[str, str | int]:
    """Start the requested servers, each put into `parts` before it runs. Returns the fields of EmbeddedParts."""
    told: dict[str, str | int] = {}
    if postgres:
        database = EmbeddedPostgres(folder)
        parts.append(database)
        told |= {"database_url": database.start(), "database_pid": database.process.pid}
        told |= {"service_url": database.service_url}
    if redis:
        cache = EmbeddedRedis(folder)
        parts.append(cache)
        told |= {"redis_url": cache.start(), "redis_pid": cache.process.pid}
    return told


def main() -> int:
    """Run until the server ends. Returns 0, or 1 if the embedded servers could not be started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--wait-s", type=float, default=45.0)
    options = parser.parse_args()
    os.umask(0o077)
    stop: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stop.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    ended = server_ended()
    parts: list[Part] = []
    lock = None
    try:
        lock = hold(options.folder, options.wait_s, ended)
        told = _start(options.folder, parts, postgres=options.postgres, redis=options.redis)
        print(json.dumps(told), flush=True)
        _watch(parts, stop, ended)
    except StartError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    except BrokenPipeError:
        _log("the server ended while its embedded servers were starting")
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - otherwise Python tries the broken pipe again at exit
    finally:
        if lock is not None:
            _say(lock, "stopping")
            for part in reversed(parts):
                part.stop()
            remove_socket_folder(options.folder)
            lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
