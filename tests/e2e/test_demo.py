"""`make run` as shipped: on embedded servers, in a new data folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, MakeServer, ServerProcess, caller_environment, program
from tests.e2e.readme import assert_readme_works
from tests.e2e.tutorials import assert_tutorials_work
from tests.ports import free_port

pytestmark = pytest.mark.timeout(600)

_COMMITTED = re.compile(r"^([\d,]+) rows committed$", re.MULTILINE)
_COUNTS = re.compile(r"│ (rows in the file|new contacts|duplicates in the file|rejected) +│ +([\d,]+) │ +([\d,]+) │")


def committed(server: ServerProcess) -> list[int]:
    return [int(number.replace(",", "")) for number in _COMMITTED.findall(server.text())]


def wait_for(server: ServerProcess, what: str, deadline_s: float = 90.0) -> None:
    deadline = time.monotonic() + deadline_s
    while what not in server.text():
        assert not server.ended, server.text()
        assert time.monotonic() < deadline, server.text()
        time.sleep(0.005)


def folder_files(folder: Path) -> list[Path]:
    """The folder's files, without those of the plan, which tests share."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"watchdog.log", "bossjy.log"} <= {path.name for path in files}
    return files


def assert_right(server: ServerProcess) -> None:
    text = server.text()
    counts = {name: (got, wanted) for name, got, wanted in _COUNTS.findall(text)}
    assert len(counts) == 4, text
    assert all(got == wanted for got, wanted in counts.values()), text
    assert counts["rows in the file"][0] == "10,000"
    assert "exactly those of an independent model" in text
    assert "WRONG" not in text
    assert "Traceback" not in text


def assert_lines_work(shown: str, environment: dict[str, str]) -> None:
    """Paste the displayed lines into a shell."""
    script = "set -e\n" + shown[shown.index("  export TOKEN=") : shown.index("Serving at")]
    for heading in ("From Python:", "With the command-line tool:"):
        assert heading in script
        script = script.replace(heading, "")
    python = shlex.quote(sys.executable)
    for written, real in (
        (".venv/bin/grpcurl", shlex.quote(program("grpcurl"))),
        (".venv/bin/python", python),
        (".venv/bin/bossjy", f"{python} -m bossjy_client"),
    ):
        assert written in script
        script = script.replace(written, real)
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert '"valid": true' in done.stdout
    assert '"e164": "+8613800000000"' in done.stdout
    assert len(re.findall(r'"phone_?[nN]umber"', done.stdout)) == 3
    assert "bossjy.imports.v1.ImportService" in done.stdout
    assert 'e164: "+8613800000000"' in done.stdout
    assert "logged in at" in done.stderr
    assert len(re.findall(r"^ ?\+\d+ +[A-Z]{2} ", done.stdout, re.MULTILINE)) == 5


def test_once_and_again(make_server: MakeServer, tmp_path: Path) -> None:
    """The first run creates a tenant and imports; the second one finds both, and serves."""
    first = make_server("demo", "--once")
    first.launch()
    assert first.wait(120) == 0, first.text()
    assert_right(first)
    assert "This is shown once" in first.text()
    password = re.search(r"^password +(\S+)", first.text(), re.MULTILINE)
    assert password is not None
    folder = first.data_dir / "demo"
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "credentials.json": 0o600,
        "token": 0o600,
    }

    again = make_server("demo", BOSSJY_METRICS_PORT=str(free_port()))
    again.launch()
    wait_for(again, "Ctrl-C ends it")
    assert_right(again)
    assert_lines_work(again.text(), caller_environment(tmp_path))
    assert_tutorials_work(again, tmp_path)
    assert_readme_works(again, tmp_path / "tutorial.md")
    assert again.terminate() == 0
    assert password[1] not in again.text()
    assert "This is shown once" not in again.text()
    assert (folder / "token").read_text() not in first.text() + again.text()
    logs = b"".join(path.read_bytes() for path in (first.data_dir / "logs").iterdir())
    open_to_others = [path for path in folder_files(first.data_dir) if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert password[1].encode() not in logs


def test_killed_in_the_middle_of_the_import(make_server: MakeServer) -> None:
    """kill -9 after the first rows were committed; the next start continues, and the counts are exact."""
    cut = make_server("demo", "--once")
    cut.launch()
    wait_for(cut, "rows committed")
    cut.kill()
    before = committed(cut)
    assert 0 < before[-1] < 10_000

    again = make_server("demo", "--once")
    again.launch()
    assert again.wait(120) == 0, again.text()
    assert_right(again)
    after = committed(again)
    assert after[0] >= before[-1], "it began again from the first row"
    assert after[-1] == 10_000
