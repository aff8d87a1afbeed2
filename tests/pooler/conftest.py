"""Fixtures: PgBouncer in transaction mode with few connections, and a server whose DATABASE_URL names it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest

from bossjy_server.embedded.account import other_account
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess, made_server, on_parts
from tests.parts import fresh_database, service_url

# Connections to PostgreSQL. The server has eight to PgBouncer, so transactions of all tenants share them.
CONNECTIONS = 2
_START_S = 20.0


@dataclass(frozen=True)
class Pooled:
    """A server on a database behind PgBouncer."""

    server: ServerProcess
    owner_url: str  # directly to PostgreSQL
    pooler_url: str  # as the login of the service


@pytest.fixture(scope="session")
def pooled(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooled]:
    folder = tmp_path_factory.mktemp("pooler")
    with asyncio.Runner() as runner:
        databases = fresh_database(parts.database_url)
        owner_url = runner.run(_next(databases))
        with running_pgbouncer(owner_url) as pooler_url:
            settings = on_parts(owner_url, parts.redis_url) | {"DATABASE_URL": pooler_url}
            server = made_server(folder, **settings, BOSSJY_DATABASE_STATEMENT_CACHE="0")
            try:
                server.start()
                yield Pooled(server, owner_url, pooler_url)
            finally:
                server.end()
        runner.run(_next(databases))


async def _next(values: AsyncIterator[str]) -> str:
    return await anext(values, "")


@contextmanager
def running_pgbouncer(owner_url: str) -> Iterator[str]:
    """PgBouncer in front of the database. Gives the URL of its service."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        raise FileNotFoundError("there is no pgbouncer: install its package")
    owner, service = urlsplit(owner_url), urlsplit(service_url(owner_url))
    query, port = parse_qs(owner.query), free_port()
    # Its own short folder, which another account can enter.
    folder = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    try:
        (folder / "users").write_text(f'"{service.username}" "{service.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"""[databases]
* = host={query["host"][0]} port={query["port"][0]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = {CONNECTIONS}
max_client_conn = 200
auth_type = scram-sha-256
auth_file = {folder}/users
"""
        )
        with (folder / "log").open("wb") as log:
            command = [*other_account(), program, str(folder / "pgbouncer.ini")]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait(port, process, folder / "log")
            address = f"{service.username}:{service.password}@127.0.0.1:{port}"
            yield urlunsplit(service._replace(netloc=address, query=""))
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < ends:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PgBouncer did not start: {log.read_text(errors='replace')}")
