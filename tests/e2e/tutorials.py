"""Both tutorials: their commands and the lines that they show, run in order with an empty home."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import ROOT, ServerProcess, caller_environment

TUTORIALS = ("tutorial.md", "tutorial.zh-CN.md")
_FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Step:
    """The commands of one block, and the lines that its reader sees, in this order among others."""

    commands: str
    shown: str = ""


def steps(name: str) -> list[Step]:
    """The steps of a tutorial."""
    found: list[Step] = []
    text = (ROOT / "docs" / name).read_text("utf-8")
    blocks = _FENCE.findall(text)
    assert text.count("\n```") == 2 * len(blocks), "a block is neither sh nor text"
    for kind, body in blocks:
        if kind == "sh":
            found.append(Step(body))
        else:
            assert not found[-1].shown
            found[-1].shown = body
    return found


def first_missing(shown: str, output: str) -> str | None:
    """The first displayed line that the output does not have after the one before. `…` is any text."""
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    for line in shown.splitlines():
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
        if not any(pattern.fullmatch(one) for one in lines):
            return line
    return None


def assert_tutorials_work(server: ServerProcess, folder: Path) -> None:
    """Run all steps but the first, `make run`, which is `server`: each tutorial in a folder like the source's."""
    ports = {"18001": server.environment["BOSSJY_PORT"], "18002": server.environment["BOSSJY_METRICS_PORT"]}
    for name in TUTORIALS:
        source = folder / name
        programs = source / ".venv" / "bin"
        programs.mkdir(parents=True)
        for program, started in (("bossjy", "-m bossjy_client"), ("python", "")):
            (programs / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" {started} "$@"\n')
            (programs / program).chmod(0o755)
        (source / ".bossjy").symlink_to(server.data_dir)
        (source / "home").mkdir()
        for step in steps(name)[1:]:
            assert_step_works(step, source, ports)


def assert_step_works(step: Step, source: Path, ports: dict[str, str], programs: Path | None = None) -> None:
    """Run the commands in the folder `source`, with the ports of the server. `programs`: first folder of the PATH."""
    commands, shown = step.commands, step.shown
    for written, real in ports.items():
        commands, shown = commands.replace(written, real), shown.replace(written, real)
    environment = caller_environment(source / "home")
    if programs is not None:
        environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", commands],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=source,
        env=environment,
    )
    assert done.returncode == 0, (commands, done)
    assert "Traceback" not in done.stderr
    assert first_missing(shown, done.stdout) is None, (shown, done)
