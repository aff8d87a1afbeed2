"""Fixture: Prometheus, Alertmanager, three exporters and the relay, all real, around a loaded server.

The files of monitoring/ are copied with the ports of this run. Times are shortened: a scrape a second, and alerts
wait two seconds in place of minutes.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.embedded.system import end_process, free_port
from tests.e2e.conftest import ROOT, ServerProcess, made_server
from tests.monitoring.receivers import SECRET, Receivers, receivers
from tests.parts import service_url, set_up, swept_folder

FOLDER = ROOT / "monitoring"
PROGRAMS = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
)
UP_S, EXPORTER = 30.0, "bossjy_exporter"


@dataclass
class Stack:
    """The running parts. `query` asks Prometheus."""

    folder: Path
    server: ServerProcess
    parts: EmbeddedParts
    received: Receivers
    port: int

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of Prometheus's API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, text: str) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.ask("query", query=text)["result"]
        return result

    def set_disk_bound(self, share: float) -> None:
        """Set the free share of a disk below which HostDiskFull fires."""
        set_disk_bound(self.folder, share)


def set_disk_bound(folder: Path, share: float) -> None:
    """Write the bound, a metric of the host's exporter."""
    new = folder / "text" / "bound.new"
    new.write_text(f"test_disk_bound {share}\n")
    new.rename(new.with_name("bound.prom"))


def until(what: str, true: Callable[[], object], wait_s: float = UP_S) -> None:
    """Wait until `true` returns something true."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            if true():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"not within {wait_s:g} s: {what}"
        time.sleep(0.2)


async def _with_statements(folder: Path) -> None:
    """Let the embedded PostgreSQL of a folder load pg_stat_statements at its next start."""
    async with start_embedded(folder, postgres=True, redis=False) as parts:
        admin = await asyncpg.connect(parts.database_url)
        await admin.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        await admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        await admin.close()


async def _set_up(url: str) -> None:
    """The tables, and a login of the exporter with the one role that docs/operations.md names."""
    await set_up(url)
    admin = await asyncpg.connect(url)
    # The exporter's driver refuses the single iteration with which the embedded server stores passwords.
    await admin.execute("SET scram_iterations = 4096")
    await admin.execute(f"CREATE ROLE {EXPORTER} LOGIN PASSWORD '{EXPORTER}'; GRANT pg_monitor TO {EXPORTER}")
    await admin.execute(f"GRANT CONNECT ON DATABASE bossjy TO {EXPORTER}")
    await admin.close()


def _configure(folder: Path, ports: dict[str, int], received: Receivers) -> None:
    for path in (FOLDER / "prometheus").glob("*.yml"):
        text = re.sub(r"for: \w+", "for: 2s", path.read_text("utf-8"))
        text = re.sub(r"(scrape|evaluation)_interval: \w+", r"\1_interval: 1s", text)
        for name, port in {
            "18002": ports["server"],
            "9100": ports["node"],
            "9187": ports["postgres"],
            "9121": ports["redis"],
            "9093": ports["alertmanager"],
        }.items():
            text = text.replace(f"127.0.0.1:{name}", f"127.0.0.1:{port}")
        # A disk cannot be filled here, so its bound moves. An edited rule would forget its alert.
        (folder / path.name).write_text(text.replace("< 0.1\n", "< scalar(test_disk_bound)\n"), "utf-8")
    (folder / "text").mkdir()
    set_disk_bound(folder, 0.0)
    text = (FOLDER / "alertmanager" / "alertmanager.yml").read_text("utf-8")
    text = re.sub(r"group_wait: \w+", "group_wait: 1s", text)
    text = re.sub(r"group_interval: \w+", "group_interval: 1s", text)
    for name, port in {"25": received.smtp_port, "8060": ports["relay"], "8061": received.http_port}.items():
        text = text.replace(f'127.0.0.1:{name}"', f'127.0.0.1:{port}"').replace(
            f"127.0.0.1:{name}/", f"127.0.0.1:{port}/"
        )
    (folder / "alertmanager.yml").write_text(text, "utf-8")
    shutil.copy(FOLDER / "alertmanager" / "mail.tmpl", folder)
    robot = f"http://127.0.0.1:{received.http_port}"
    (folder / "dingtalk").write_text(f"{robot}/robot/send?access_token=kept-apart\n")
    (folder / "wecom").write_text(f"{robot}/cgi-bin/webhook/send?key=kept-apart\n")
    (folder / "secret").write_text(f"{SECRET}\n")


def _commands(folder: Path, ports: dict[str, int], parts: EmbeddedParts) -> dict[str, list[str]]:
    redis = urlsplit(parts.redis_url)
    of_redis = [f"--redis.addr=unix://{redis.path}", f"--redis.password={redis.password or ''}"]
    return {
        "node": [
            f"--web.listen-address=127.0.0.1:{ports['node']}",
            f"--collector.textfile.directory={folder / 'text'}",
        ],
        "postgres": [
            f"--web.listen-address=127.0.0.1:{ports['postgres']}",
            f"--extend.query-path={folder / 'postgres_queries.yml'}",
            "--no-collector.bgwriter",  # it asks for columns that PostgreSQL 17 removed
        ],
        "redis": [f"--web.listen-address=127.0.0.1:{ports['redis']}", *of_redis],
        "alertmanager": [
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ],
        "prometheus": [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
            "--enable-feature=exemplar-storage",
        ],
    }


def _data_source(url: str) -> str:
    """The URL of a database for the exporter, by TCP."""
    there = urlsplit(url)
    port = parse_qs(there.query)["port"][0]
    return f"postgresql://{EXPORTER}:{EXPORTER}@127.0.0.1:{port}{there.path}?sslmode=disable"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """All parts. They end with the session, by their process ids."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.exit(f"make test-monitoring needs {' '.join(missing)}: apt-get install {' '.join(PROGRAMS)}", 1)
    with asyncio.Runner() as runner, ExitStack() as stack:
        folder = stack.enter_context(swept_folder())
        received = stack.enter_context(receivers())
        embedded = folder / "embedded"
        runner.run(_with_statements(embedded))
        parts_of = start_embedded(embedded, postgres=True, redis=True)
        parts = runner.run(parts_of.__aenter__())
        stack.callback(lambda: runner.run(parts_of.__aexit__(None, None, None)))
        runner.run(_set_up(parts.database_url))
        names = ("server", "node", "postgres", "redis", "alertmanager", "prometheus", "relay")
        ports = {name: free_port() for name in names}
        _configure(folder, ports, received)
        server = made_server(
            folder,
            DATABASE_URL=service_url(parts.database_url),
            DATABASE_ADMIN_URL=parts.database_url,
            REDIS_URL=parts.redis_url,
            BOSSJY_REGISTRATION="open",
            BOSSJY_CALLS_PER_MINUTE_PER_TENANT="0",
            BOSSJY_CALLS_PER_MINUTE_PER_ADDRESS="0",
            BOSSJY_METRICS_PORT=str(ports["server"]),
        )
        stack.callback(server.end)
        server.start()
        relay = [sys.executable, str(FOLDER / "alertmanager" / "relay.py"), "--port", str(ports["relay"])]
        for name in ("dingtalk-url", "dingtalk-secret", "wecom-url"):
            relay += [f"--{name}-file", str(folder / name.removesuffix("-url").replace("dingtalk-secret", "secret"))]
        environment = {"PATH": "/usr/bin:/bin", "DATA_SOURCE_NAME": _data_source(parts.database_url)}
        running = {}
        commands = _commands(folder, ports, parts)
        for name, program in {
            **{name: ["prometheus" if name == "prometheus" else f"prometheus-{name}"] for name in commands},
            **{name: [f"prometheus-{name}-exporter"] for name in ("node", "postgres", "redis")},
            "relay": relay,
        }.items():
            with (folder / f"{name}.log").open("wb") as output:
                running[name] = subprocess.Popen(
                    [*program, *commands.get(name, [])], stdout=output, stderr=output, env=environment, cwd=folder
                )
            stack.callback(end_process, running[name], 10)
        found = Stack(folder, server, parts, received, ports["prometheus"])
        try:
            until("four targets are up", lambda: len(found.query("up == 1")) == 4)
        except AssertionError as error:
            logs = "".join(f"{path.name}:\n{path.read_text()[-1500:]}\n" for path in sorted(folder.glob("*.log")))
            raise AssertionError(f"{error}\n{logs}") from None
        yield found
