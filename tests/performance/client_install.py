"""Proof that the wheel of the client installs and works with the versions that it states: `make prove-client`.

    python -m tests.performance.client_install [CASE ...]

Builds the wheel, installs it in new environments and calls a real server from each: without extras, with the oldest
versions of all dependencies, beside packages that pin older protobuf and pyarrow, and with the newest versions. Needs
the package index. Exit status 1 if a case failed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from packaging.requirements import Requirement

from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess
from tests.measurements import print_table
from tests.performance.validate import token_of

ROOT = Path(__file__).resolve().parents[2]
UV = str(ROOT / ".uv" / "bin" / "uv")
FILES = ("list.parquet", "list.xlsx")
ALL = "[cli,tables,excel]"
# Run in each environment, with the target, a token, files to import and the libraries whose columns it validates.
PROGRAM = """
import importlib, sys, warnings
warnings.simplefilter("error")
from bossjy_client import InvalidRequestError, SyncClient
target, token, files, *libraries = sys.argv[1:]
texts = ["138 0014 4001", None, "x"]
with SyncClient.connect(target, token=token, connect_timeout_s=30) as client:
    assert client.phone.validate(texts[0], "CN").e164 == "+8613800144001"
    assert client.phone.validate_column(texts, "CN")["valid"] == [True, False, False]
    for library in libraries:
        module = importlib.import_module(library)
        column = module.array(texts) if library == "pyarrow" else module.Series(texts)
        assert list(map(str, client.phone.validate_column(column, "CN")["e164"]))[0] == "+8613800144001", library
    job = client.imports.upload_file(b"phone\\n+8613800144001\\nno number\\n")
    assert (job.counts.rejected, job.counts.inserted + job.counts.duplicate + job.counts.unchanged) == (1, 1), job
    for file in filter(None, files.split(",")):
        counts = client.imports.upload_file(file).counts
        assert counts.inserted + counts.unchanged == 1, counts
    try:
        client.contacts.list("no filter at all (")
        next(client.contacts.list("no filter at all ("))
    except InvalidRequestError as error:
        assert error.reason and error.request_id, error
assert not {"buf", "google.api", "google.rpc"} & sys.modules.keys()
print("works")
"""


@dataclass(frozen=True)
class Case:
    """One environment."""

    extras: str = ""
    beside: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    only: frozenset[str] = field(default_factory=frozenset)
    """The installed packages, if they are all that is allowed."""


def oldest() -> tuple[str, ...]:
    """The lowest stated version of each dependency."""
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text("utf-8"))["project"]
    texts = chain(project["dependencies"], *project["optional-dependencies"].values())
    bounds = (
        (one.name, next(bound for bound in one.specifier if bound.operator == ">=")) for one in map(Requirement, texts)
    )
    return tuple({f"{name}=={bound.version}" for name, bound in bounds})


CASES = {
    "alone": Case(only=frozenset({"bossjy", "grpcio", "protobuf", "typing-extensions"})),
    "oldest": Case(ALL, oldest(), ("pyarrow",), FILES),
    "beside": Case(
        "[tables]",
        ("protobuf==6.33.*", "pyarrow==21.*", "pandas", "polars"),
        ("pyarrow", "pandas", "polars"),
        FILES[:1],
    ),
    "newest": Case(ALL, ("pandas", "polars"), ("pyarrow", "pandas", "polars"), FILES),
}


def run(*command: str, cwd: Path = ROOT) -> str:
    """The output of a command. Raises RuntimeError with it if the command fails."""
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:2])}: {done.stdout[-3000:]}")
    return done.stdout


def prove(name: str, case: Case, wheel: Path, folder: Path, asked: tuple[str, str]) -> str:
    """The versions with which one case works. Raises RuntimeError or AssertionError if it does not."""
    environment = folder / name
    python = str(environment / "bin" / "python")
    run(UV, "venv", "-q", "--python", sys.executable, str(environment))
    wanted = f"bossjy{case.extras} @ {wheel.as_uri()}"
    run(UV, "pip", "install", "-q", "--python", python, "--only-binary", ":all:", wanted, *case.beside)
    installed = dict(
        line.split("==") for line in run(UV, "pip", "freeze", "--python", python).splitlines() if "==" in line
    )
    if case.only and not installed.keys() <= case.only:
        raise RuntimeError(f"more than grpcio and protobuf is installed: {', '.join(installed)}")
    said = run(python, "-c", PROGRAM, *asked, ",".join(case.files), *case.libraries, cwd=folder)
    if said.splitlines()[-1] != "works":
        raise RuntimeError(said)
    tool = subprocess.run([environment / "bin" / "bossjy", "--version"], capture_output=True, text=True, check=False)
    if (tool.returncode == 0) != ("cli" in case.extras):
        raise RuntimeError(f"bossjy --version: {tool.stdout}{tool.stderr}")
    shown = ("grpcio", "protobuf", "pyarrow", "pandas", "polars", "rich", "python-calamine")
    return ", ".join(f"{package} {installed[package]}" for package in shown if package in installed)


def make_files(folder: Path) -> None:
    """A table of one contact as Parquet and as a workbook."""
    table: Any = pa.table({"phone": ["+8613800144002"]})
    pq.write_table(table, folder / FILES[0])
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    if sheet is None:
        raise RuntimeError("the workbook has no sheet")
    sheet.append(["phone"])
    sheet.append(["+8613800144003"])
    workbook.save(folder / FILES[1])


def main() -> int:
    """Prove the cases of the command line, or all. Returns the exit status."""
    names = sys.argv[1:] or list(CASES)
    rows: list[tuple[str, str]] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bossjy-client-") as place:
        folder = Path(place)
        build = ("build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", place)
        run(UV, *build, "clients/python")
        make_files(folder)
        wheel = next(folder.glob("bossjy-*.whl"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")} | {
            "BOSSJY_DATA_DIR": f"{folder}/data",
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_REGISTRATION": "open",
        }
        server = ServerProcess(environment, folder / "server.log")
        try:
            server.start()
            asked = server.target, asyncio.run(token_of(server.target))
            for name in names:
                try:
                    rows.append((name, prove(name, CASES[name], wheel, folder, asked)))
                except (RuntimeError, ValueError) as error:
                    failed += 1
                    rows.append((name, "FAILED"))
                    print(f"{name}: {error}")
        finally:
            server.end()
    print_table([("case", "works with"), *rows], title="client")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
