"""A PostgreSQL of another version for the tests, from the folder of its programs. It ends with the test process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from bossjy_server.embedded.account import other_account
from bossjy_server.embedded.servers import EmbeddedParts
from tests.ports import free_port

# The folder with the programs `initdb` and `postgres`. If empty, tests use the embedded PostgreSQL.
VARIABLE = "BOSSJY_TEST_POSTGRES_BIN"
_USER, _PASSWORD = "bossjy", "no secret"
_START_S = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "fsync": "off",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# A separate process: runs the server until the end of its input (of the test process, however it ends).
_KEEP = """
import shutil, signal, subprocess, sys
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
sys.stdin.read()
server.send_signal(signal.SIGINT)
server.wait()
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


def chosen_programs() -> Path | None:
    """The folder that the environment names, or None."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    programs = Path(named)
    if not (programs / "postgres").exists():
        raise FileNotFoundError(f"{VARIABLE} names {programs}, which has no program postgres: install that PostgreSQL")
    return programs


@contextmanager
def running_postgres(programs: Path) -> Iterator[EmbeddedParts]:
    """A new server, with URLs of its superuser and of a login for the service, which does not exist yet."""
    folder = Path(tempfile.mkdtemp(prefix="bossjy-postgres-"))
    data, log, port = folder / "data", folder / "log", free_port()
    (folder / "password").write_text(_PASSWORD)
    account = other_account()
    made = [str(programs / "initdb"), f"--pgdata={data}", f"--username={_USER}", f"--pwfile={folder}/password"]
    made += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([*account, *made], check=True, capture_output=True)
    single = [*account, str(programs / "postgres"), "--single", "-F", "-D", str(data), "postgres"]
    subprocess.run(single, input=f"CREATE DATABASE {_USER}\n".encode(), check=True, capture_output=True)
    settings = _SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = [*account, str(programs / "postgres"), "-D", str(data), *options]
    keeper = [sys.executable, "-c", _KEEP, str(folder), *server]
    # Out of reach of a Ctrl-C in the terminal.
    with (
        log.open("wb") as out,
        subprocess.Popen(keeper, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True),
    ):
        pid = _ready(data / "postmaster.pid", log)
        address = f"/{_USER}?host={quote(str(folder), safe='')}&port={port}"
        admin, service = (f"postgresql://{name}:{quote(_PASSWORD)}@{address}" for name in (_USER, "bossjy_service"))
        yield EmbeddedParts(database_url=admin, service_url=service, database_pid=pid)


def _ready(pid_file: Path, log: Path) -> int:
    """Wait until the server accepts connections. Returns its process id."""
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends:
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return int(lines[0])
        time.sleep(0.05)
    raise TimeoutError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
