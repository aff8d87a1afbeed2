"""The unit of systemd, compared with the program and its settings."""

from __future__ import annotations

import shlex
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


def test_the_stop_leaves_time_to_drain() -> None:
    assert float(values("TimeoutStopSec")[0]) >= Settings().process.drain_s + 10
    assert values("KillMode") == ["mixed"]
