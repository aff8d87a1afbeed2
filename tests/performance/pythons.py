"""Tests of both commands with the supported Pythons of this machine: `make test-pythons`.

    python -m tests.performance.pythons [--fast] [PYTHON ...]

PYTHON: a path, a version such as 3.11 or 3.13.0, or `oldest` and `newest` (besides the Python that runs this). By
default, each Python that is found. Each gets a clean copy of the last commit in build/pythons, a PATH that has no other
Python, an empty home and an empty cache; nothing may download a Python. Then `make run ONCE=1` and `make test` must
pass. `--fast`: unit tests and some statements instead of all tests. Exit status 1 if something failed or a Python that
was named by version or path is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tests.measurements import print_table
from tests.performance.first_run import KEPT

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "pythons"
# Folders with Pythons, besides PATH: the system, pyenv, uv, asdf.
PLACES = (
    "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin",
    "~/.asdf/installs/python/*/bin",
)  # fmt: skip
SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
# Programs that may be another Python, or start one.
OTHERS = re.compile(r"(python|pip|pydoc|idle|2to3|pyenv|conda|mamba|virtualenv)[\w.-]*|uvx?")
# Run by each Python: it must be able to make environments, and must not be a release candidate.
ASKED = """
import sys, os, venv, ensurepip
final = sys.version_info.releaselevel == "final" and "free-threading" not in sys.version
print(*sys.version_info[:3], sep="."), print(os.path.realpath(sys._base_executable)), print(int(final))
"""
FAST_TESTS = (
    "tests/unit", "--ignore=tests/unit/numbering", "tests/integration/rpc/test_tls.py",
    "tests/integration/lookup/test_http.py",
    "tests/integration/storage/test_redis.py", "tests/integration/storage/test_embedded.py",
    "tests/statements/test_01_access.py",
)  # fmt: skip
LIMIT_S = 3600


@dataclass(frozen=True, order=True)
class Python:
    """One interpreter."""

    version: tuple[int, ...]
    path: Path

    @property
    def name(self) -> str:
        return ".".join(map(str, self.version))


def supported() -> SpecifierSet:
    project = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text("utf-8"))
    return SpecifierSet(project["project"]["requires-python"])


def at(path: Path) -> Python | None:
    """The Python of a path, without the environment that it may belong to; None if it is unusable."""
    try:
        done = subprocess.run([path, "-c", ASKED], capture_output=True, text=True, cwd="/", timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version, real, final = done.stdout.split("\n")[:3]
    if final != "1" or version not in supported():
        return None
    return Python(tuple(map(int, version.split("."))), Path(real))


def found() -> list[Python]:
    """One Python of each version, the oldest first."""
    folders = [Path(name) for name in os.environ["PATH"].split(os.pathsep)]
    for place in PLACES:
        home = Path(place).expanduser()
        folders += sorted(Path(home.anchor).glob(str(home.relative_to(home.anchor))))
    files = {file.resolve(): file for folder in folders for file in sorted(folder.glob("python3*"))}
    real = [python for file in files if re.fullmatch(r"python3(\.\d+)?", file.name) and (python := at(file))]
    return sorted({python.version: python for python in sorted(real, reverse=True)}.values())


def chosen(names: list[str]) -> tuple[list[Python], list[str]]:
    """The Pythons of these names, and the names without a Python."""
    here, asked, missing = found(), [], []
    for name in names:
        if name == "oldest":
            oldest = min(minor for minor in range(100) if f"3.{minor}.99" in supported())
            fits = [one for one in here if one.version[1] == oldest != sys.version_info.minor][:1]
        elif name == "newest":
            fits = [one for one in here if one.version[1] > sys.version_info.minor][-1:]
        elif "/" in name:
            fits = [python] if (python := at(Path(name))) else []
        else:
            fits = [one for one in here if f"{one.name}.".startswith(f"{name}.")]
        asked += fits
        missing += [] if fits else [name]
    return list(dict.fromkeys(asked if names else here)), missing


def path_of(python: Python, folder: Path) -> Path:
    """A folder for PATH: the programs of the system and this Python."""
    programs = folder / "bin"
    programs.mkdir()
    needed = [Path(tool).parent for name in ("make", "git", "sh") if (tool := shutil.which(name))]
    for place in [*map(Path, SYSTEM), *needed]:
        for file in place.iterdir() if place.is_dir() else ():
            if not OTHERS.fullmatch(file.name) and not os.path.lexists(programs / file.name):
                (programs / file.name).symlink_to(file)
    (programs / "python3").symlink_to(python.path)
    return programs


def run(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> tuple[bool, float]:
    """Run a command in the clean copy. Returns its success and its seconds."""
    began = time.monotonic()
    with log.open("ab") as out:
        out.write(f"$ {' '.join(command)}\n".encode())
        out.flush()
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                status = process.wait(LIMIT_S)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGTERM)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                status = -1
    return status == 0, time.monotonic() - began


def prove(python: Python, *, fast: bool) -> list[object]:
    """Run the commands with one Python. A row of the table; the last cell is the overall result."""
    folder, log = BUILD / python.name, BUILD / f"{python.name}.log"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log.unlink(missing_ok=True)
    (folder / "home").mkdir()
    checkout = folder / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True, stderr=subprocess.DEVNULL)
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    environment = kept | {
        "HOME": str(folder / "home"),
        "PATH": str(path_of(python, folder)),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    tests = [["make", "test"]]
    if fast:
        pytest = [".venv/bin/python", "-m", "pytest", "-q", "-n", "2", *FAST_TESTS]
        tests = [["make", "install"], pytest]
    row: list[object] = [python.name, python.path]
    for commands in ([["make", "run", "ONCE=1"]], tests):
        ended = [run(command, checkout, environment, log) for command in commands]
        passed = all(one for one, _ in ended)
        row.append(f"{'passed' if passed else 'FAILED'} {sum(seconds for _, seconds in ended):.0f} s")
    used = subprocess.run([checkout / ".venv/bin/python", "--version"], capture_output=True, text=True, check=False)
    right = used.stdout.split()[-1:] == [python.name]
    passed = right and not any("FAILED" in str(cell) for cell in row)
    row.append("passed" if passed else f"FAILED: {log.relative_to(ROOT)}" if right else f"FAILED: {used.stdout!r} ran")
    if passed:
        shutil.rmtree(folder)
    else:
        print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-60:]))
    return row


def main() -> int:
    """Test each, one after another. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pythons", nargs="*")
    parser.add_argument("--fast", action="store_true")
    options = parser.parse_args()
    pythons, missing = chosen(options.pythons)
    for name in missing:
        print(f"no Python for {name!r} is on this machine: not tested", flush=True)
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, check=True).stdout:
        print("changes that are not committed are not tested", flush=True)
    rows = []
    for python in pythons:
        print(f"Python {python.name} ({python.path}) …", flush=True)
        rows.append(prove(python, fast=options.fast))
    if rows:
        print_table([("Python", "path", "make run ONCE=1", "tests", "verdict"), *rows], title="pythons")
    failed = any(row[-1] != "passed" for row in rows) or bool(set(missing) - {"oldest", "newest"})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
