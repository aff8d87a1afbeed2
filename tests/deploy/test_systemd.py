"""The unit of systemd, compared with the program and its settings."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from bossjy_server.cli import command_line
from bossjy_server.config import Settings, read_settings
from tests.deploy.manifests import DEPLOY

UNIT = (DEPLOY / "systemd" / "bossjy.service").read_text()


def values(name: str) -> list[str]:
    """The values of a directive, in order."""
    return [line.partition("=")[2] for line in UNIT.splitlines() if line.startswith(f"{name}=")]


def test_the_command_is_one_of_the_program() -> None:
    (command,) = values("ExecStart")
    program, *arguments = shlex.split(command)
    assert Path(program).name == "bossjy-server"
    assert command_line().parse_args(arguments).command == "serve"


def test_settings_are_read_with_the_secrets_of_systemd(tmp_path: Path) -> None:
    credentials = dict(one.split(":") for one in values("LoadCredential"))
    texts = {"database_url": "postgresql://acme_service@db/acme", "redis_url": "redis://redis"}
    assert {name: f"/etc/bossjy/{name}" for name in texts} == credentials
    for name, text in texts.items():
        (tmp_path / name).write_text(text + "\n")
    environment = dict(one.replace("%d", str(tmp_path)).split("=", 1) for one in values("Environment"))
    settings = read_settings(environment)
    assert (settings.database.url, settings.redis.url) == tuple(texts.values())
    assert str(settings.process.data_dir) == values("WorkingDirectory")[0] == f"/var/lib/{values('StateDirectory')[0]}"


def test_systemd_accepts_the_unit_and_finds_it_restricted(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # no systemd, as on a Mac: the other tests remain
        assert values("CapabilityBoundingSet") == [""]
        return
    program = tmp_path / "bossjy-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "bossjy.service"
    unit.write_text(UNIT.replace("/opt/bossjy/.venv/bin/bossjy-server", str(program)))
    verified = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    complaints = [line for line in verified.stderr.splitlines() if "bossjy.service" in line]
    assert complaints == []
    command = [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    rated = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert rated.returncode == 0, rated.stdout[-300:]  # an exposure of 2.0 at most


def test_the_stop_leaves_time_to_drain() -> None:
    assert float(values("TimeoutStopSec")[0]) >= Settings().process.drain_s + 10
    assert values("KillMode") == ["mixed"]
