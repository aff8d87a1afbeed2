"""Ten tasks of a stranger: the commands of docs/tasks.md, pasted in their order, with an empty home."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import openpyxl
import pytest

from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import PASSWORD, MakeServer, on_parts
from tests.e2e.tutorials import assert_step_works, steps

pytestmark = pytest.mark.timeout(600)

ROWS = (
    ("name", "phone", "email"),
    ("Ann Archer", "07400 123456", "ann@example.com"),
    ("Ben Baker", "020 7946 0018", "ben@example.com"),
    ("Cleo Carter", "07400 12345", "cleo@example.com"),
    ("Dan Dyer", "+1 202 555 0123", "dan@example.com"),
    ("Eve Ellis", None, "eve@example.com"),
)


def workbook(path: Path) -> None:
    """The workbook that the page describes."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ROWS:
        sheet.append(row)
    book.save(path)


def program_in(folder: Path, name: str, words: str, environment: dict[str, str]) -> None:
    """A program on the PATH of the reader, as `make install` makes it."""
    settings = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in environment.items())
    (folder / name).write_text(f'#!/bin/sh\n{settings}exec "{sys.executable}" {words} "$@"\n')
    (folder / name).chmod(0o755)


def test_the_commands_of_the_ten_tasks(
    make_server: MakeServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    server = make_server(**on_parts(database_url, redis_url) | {"BOSSJY_METRICS_PORT": str(free_port())})
    server.start()
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    programs.mkdir()
    program_in(programs, "bossjy", "-m bossjy_client", {})
    program_in(programs, "python", "", {})
    settings = {name: value for name, value in server.environment.items() if name.startswith(("BOSSJY_", "DATABASE"))}
    program_in(programs, "bossjy-server", "-m bossjy_server.cli", settings)
    (tmp_path / "ann.password").write_text(PASSWORD + "\n")
    workbook(tmp_path / "customers.xlsx")
    ports = {"18001": server.environment["BOSSJY_PORT"], "18002": server.environment["BOSSJY_METRICS_PORT"]}

    tasks = steps("tasks.md")
    assert len(tasks) == 10
    assert all(task.shown for task in tasks)
    for task in tasks:
        assert_step_works(task, tmp_path, ports, programs)
