"""Both README: the commands and the Python program after `make run`, run as they are written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import ROOT, ServerProcess, caller_environment, program

READMES = ("README.md", "README.zh-CN.md")
_PYTHON = re.compile(r"^```python\n(import asyncio\n.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(name: str) -> str:
    """The indented commands of a README that need a running server."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"(?:^    \S.*\n(?:^     .*\n|^    \S.*\n)*)", text, re.MULTILINE)
    return "".join(re.sub(r"^    ", "", one, flags=re.MULTILINE) for one in blocks if ".bossjy/demo/token" in one)


def python_program(name: str) -> str:
    """The program of a README, without its comments."""
    (found,) = _PYTHON.findall((ROOT / name).read_text("utf-8"))
    return re.sub(r"  # .*", "", found)


def assert_readme_works(server: ServerProcess, source: Path) -> None:
    """Paste the commands into a shell in `source`, a folder as the tutorials leave it, with an empty home."""
    home = source / "empty"
    home.mkdir()
    (source / ".venv/bin/grpcurl").symlink_to(program("grpcurl"))
    (source / "deploy").symlink_to(ROOT / "deploy")
    (source / "readme.py").write_text(python_program(READMES[0]).replace("127.0.0.1:18001", server.target))
    script = commands(READMES[0]).replace("127.0.0.1:18001", server.target)
    for line in re.findall(r"^.*(?:phone explain|contacts\.csv).*$", script, re.MULTILINE):
        script = script.replace(line, f"{line} || [ $? = 6 ]")  # the data has findings
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}.venv/bin/python readme.py"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=source,
        env=caller_environment(home),
    )
    assert done.returncode == 0, (script, done)
    assert "Traceback" not in done.stderr
    assert '"valid": true' in done.stdout
    assert "True +8613800000000" in done.stdout
    assert "rows_in: 10000" in done.stdout
    assert len(re.findall(r"^ ?\+\d+ +[A-Z]{2} ", done.stdout, re.MULTILINE)) == 5
