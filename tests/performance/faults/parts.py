"""PostgreSQL and Redis for one test, without a guard: they can be stopped, paused and started again."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bossjy_server.embedded.postgres_server import EmbeddedPostgres
from bossjy_server.embedded.redis_server import EmbeddedRedis
from bossjy_server.embedded.system import remove_socket_folder
from tests.e2e.conftest import MakeServer, ServerProcess, made_server


class Part:
    """One of the two."""

    def __init__(self, part: EmbeddedPostgres | EmbeddedRedis) -> None:
        self._part = part
        self.url = part.start()

    def stop(self) -> None:
        """An orderly end, which closes its connections."""
        self.resume()
        self._part.stop()

    def start(self) -> None:
        """Start it again at the same address."""
        self._part.start()

    def pause(self) -> None:
        """Accept connections and answer nothing, as after a network failure."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        try:
            top = psutil.Process(self._part.process.pid)
            family = [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        # Parents first: while PostgreSQL's first process runs, it may start others.
        for process in family:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue


@dataclass
class Stage:
    """A folder, its PostgreSQL and Redis, and servers that use them."""

    folder: Path
    postgres: Part
    redis: Part
    make_server: MakeServer

    def server(self, *command: str, **settings: str) -> ServerProcess:
        """A running server that uses these, unless `settings` name others."""
        own = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "BOSSJY_REGISTRATION": "open",
            "BOSSJY_CALLS_PER_MINUTE_PER_TENANT": "0",
            "BOSSJY_DATABASE_POOL": "10",
            "BOSSJY_LOG_CONSOLE": "warning",
            "BOSSJY_HEALTH_INTERVAL_S": "0.5",
        }
        server = self.make_server(*command, **{**own, **settings})
        server.start()
        return server


@contextmanager
def stage() -> Iterator[Stage]:
    """Running PostgreSQL and Redis; at the end the servers and then both are stopped, whatever their state."""
    with tempfile.TemporaryDirectory(prefix="bossjy-faults-") as name:
        folder = Path(name)
        servers: list[ServerProcess] = []

        def make(*command: str, **settings: str) -> ServerProcess:
            (folder / "server").mkdir(exist_ok=True)
            servers.append(made_server(folder / "server", *command, **settings))
            return servers[-1]

        postgres, redis = Part(EmbeddedPostgres(folder)), Part(EmbeddedRedis(folder))
        try:
            yield Stage(folder, postgres, redis, make)
        finally:
            postgres.resume()
            redis.resume()
            for server in servers:
                server.end()
            redis.stop()
            postgres.stop()
            remove_socket_folder(folder)
