"""Upgrade from a former commit, and downgrade from a next release, with traffic: `make prove-upgrade`.

    python -m tests.performance.upgrade.prove_upgrade [--former COMMIT] [--per-second 20]

Two servers on one PostgreSQL and Redis are replaced one after the other, as docs/operations/upgrade.md says. The
next release is this one with a changed definition of its tables. Every call of the traffic is safe to retry: the proof
fails if the client reports one as failed, if a contact of an import is missing, or if a session ended.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bossjy_client import AsyncClient, ClientConfig, SessionTokens
from bossjy_server.embedded.servers import start_embedded
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import EMAIL, PASSWORD, ServerProcess, made_server, register
from tests.measurements import write_figures
from tests.parts import service_url
from tests.performance.upgrade.traffic import Traffic
from tests.performance.upgrade.trees import ROOT, Tree, extract, former_commit, make_next

_QUIET_S = 2.0
# Settings of the tests that a former release refuses as unknown.
_LATER_SETTINGS = ("BOSSJY_WARM_UP_S", "BOSSJY_FRONT")
_UNLIMITED = "UPDATE bossjy.tenants SET calls_per_minute = 1000000"


class Fleet:
    """Two servers, each at its own port, on the same databases and with the same keys."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self._folder, self._database_url, self._redis_url = folder, database_url, redis_url
        self._ports = [free_port(), free_port()]
        self.servers: list[ServerProcess] = []
        self._keys = folder / "keys"
        self._keys.mkdir(mode=0o700)

    @property
    def target(self) -> str:
        return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def made(self, tree: Tree, number: int) -> ServerProcess:
        """A server of that tree, not launched."""
        data = self._folder / f"data{number}"
        data.mkdir(mode=0o700, exist_ok=True)
        keys = data / "keys"
        if not keys.exists():
            keys.symlink_to(self._keys)
        server = made_server(
            self._folder,
            DATABASE_URL=service_url(self._database_url),
            REDIS_URL=self._redis_url,
            BOSSJY_DATA_DIR=str(data),
            BOSSJY_PORT=str(self._ports[number]),
            BOSSJY_REGISTRATION="open",
            BOSSJY_DATABASE_POOL="8",
            **tree.environment,
        )
        for name in _LATER_SETTINGS:
            server.environment.pop(name, None)
        return server

    def apply(self, tree: Tree) -> str:
        """`database apply` of that tree, as the owner of the tables. Returns what it printed."""
        server = self.made(tree, 0)
        environment = server.environment | {"DATABASE_ADMIN_URL": self._database_url}
        command = [sys.executable, "-m", "bossjy_server.cli", "database", "apply"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"database apply of {tree.name}: {done.stdout}{done.stderr}")
        return done.stdout

    async def make_login(self) -> None:
        """The login of the servers, as an administrator makes it."""
        login = urlsplit(service_url(self._database_url))
        await self.execute(f"CREATE ROLE {login.username} LOGIN PASSWORD '{login.password}'")

    async def execute(self, statement: str) -> None:
        """Run a statement as the owner of the tables."""
        owner = await asyncpg.connect(self._database_url)
        await owner.execute(statement)
        await owner.close()

    async def start(self, tree: Tree) -> None:
        """Both servers of that tree. The first makes the tables, as former releases have no command for it."""
        for number in (0, 1):
            server = self.made(tree, number)
            server.environment["DATABASE_ADMIN_URL"] = self._database_url
            await asyncio.to_thread(server.start)
            self.servers.append(server)

    async def replace(self, tree: Tree, *, kill: int | None = None) -> None:
        """Drain each server and start one of that tree in its place; `kill`: only this one, without a drain."""
        for number in (0, 1) if kill is None else (kill,):
            if kill is None:
                code = await asyncio.to_thread(self.servers[number].terminate)
                if code:
                    raise SystemExit(f"a drained server ended with {code}: {self.servers[number].text()[-2000:]}")
            else:
                await asyncio.to_thread(self.servers[number].kill)
            self.servers[number] = self.made(tree, number)
            await asyncio.to_thread(self.servers[number].start)
            await asyncio.sleep(_QUIET_S)

    def end(self) -> None:
        for server in self.servers:
            server.end()


async def prove(former: Tree, current: Tree, following: Tree, fleet: Fleet, per_second: float) -> Traffic:
    """All steps with traffic. Raises AssertionError if data or a session is lost."""
    await fleet.make_login()
    await fleet.start(former)
    tenant = await asyncio.to_thread(register, fleet.servers[0].target)
    await fleet.execute(_UNLIMITED)
    config = ClientConfig(plaintext=True)
    async with await AsyncClient.connect(fleet.target, config=config) as client:
        session = SessionTokens.of((await client.auth.login(tenant.tenant_id, EMAIL, PASSWORD)).tokens)
    async with Traffic(fleet.target, tenant.tenant_id, per_second) as traffic:
        steps = (
            ("former", None, asyncio.sleep(_QUIET_S)),
            ("upgrade_tables", current, None),
            ("upgrade_servers", None, fleet.replace(current)),
            ("next_tables", following, None),
            ("restart_on_next_tables", None, fleet.replace(current, kill=0)),
            ("next_servers", None, fleet.replace(following)),
            ("downgrade_servers", None, fleet.replace(current)),
            ("downgrade_apply", current, None),
        )
        for name, tree, work in steps:
            traffic.phase, began = name, time.monotonic()
            if work is not None:
                await work
            if tree is not None:
                said = await asyncio.to_thread(fleet.apply, tree)
                await asyncio.sleep(_QUIET_S)
                assert ("next release" in said) == (name == "downgrade_apply"), said
            print(f"{name}: {time.monotonic() - began:.1f} s, {traffic.sent[name]} calls", flush=True)
    async with await AsyncClient.connect(fleet.target, config=config) as client:
        client.use_session(await client.auth.refresh(session))
        assert await client.contacts.count() == traffic.imported, "contacts of imports are missing"
    return traffic


async def run(options: argparse.Namespace) -> int:
    """Prepare trees and databases, prove, and report."""
    commit = options.former or former_commit()
    print(f"former release: {commit}")
    with tempfile.TemporaryDirectory(prefix="bossjy-upgrade-") as name:
        folder = Path(name)
        former, following = extract(commit, folder / "former"), extract("HEAD", folder / "next")
        make_next(following)
        trees = Tree("former", former), Tree("current", ROOT), Tree("next", following)
        async with start_embedded(folder / "parts", postgres=True, redis=True) as parts:
            fleet = Fleet(folder, parts.database_url, parts.redis_url)
            try:
                traffic = await prove(*trees, fleet, options.per_second)
            finally:
                fleet.end()
                for server in fleet.servers:
                    if "Traceback" in server.text():
                        print(server.text()[-3000:])
    for failure in traffic.failed:
        print(failure)
    figures: dict[str, float] = {
        "calls": sum(traffic.sent.values()),
        "failed": len(traffic.failed),
        "imported_rows": traffic.imported,
        "slowest_call_s": round(traffic.slowest_s, 2),
    }
    write_figures("upgrade", figures)
    return 1 if traffic.failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--former", default="", help="a commit (default: the oldest that runs with these packages)")
    parser.add_argument("--per-second", type=float, default=20.0)
    os.environ.pop("PYTHONPATH", None)
    return asyncio.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
