"""Checks of the source besides its tests: `make check`, and the same in CI. Offline.

Every step runs and prints one line; the output of a failed step follows its line. Exit status 1 if any step failed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent
# A line of a requirement file: a version, a marker, a hash or a comment. No address, no option, no folder.
LOCKED = re.compile(r"[a-z0-9._-]+==\S+(?: ; [^/]+)? \\| {4}--hash=sha256:[0-9a-f]{64}(?: \\)?| *#(?!.*:/).*|")


OWN = ("bossjy", "bossjy-numbering")


class CheckFailed(Exception):
    """A step failed; the text says why."""


def run(tool: str, *arguments: str) -> str:
    """Run a tool of the environment at the root. Returns its output; raises CheckFailed with it if the tool fails."""
    command = [str(TOOLS / tool), *arguments]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise CheckFailed(done.stdout)
    return done.stdout


def breaking() -> None:
    """Compare the contracts with those of the last release, protos/released.binpb (`make released`).

    A committed image and no git reference: a shallow clone has no history, and CI has no network. Both sides
    are images, because buf compares a workspace of two modules with another such workspace only.
    """
    now = "build/contracts.binpb"
    (ROOT / "build").mkdir(exist_ok=True)
    run("buf", "build", "--path", "protos/bossjy", "--output", now)
    run("buf", "breaking", now, "--against", "protos/released.binpb", "--config", "buf.yaml")


def openapi() -> None:
    """Validate docs/openapi.json by the schema of OpenAPI. The step before compares it with the contracts."""
    run("openapi-spec-validator", "docs/openapi.json")


def lock() -> None:
    """Check the form of the requirement files, and that they cover the dependencies of our packages."""
    files = sorted((ROOT / "requirements").glob("*.txt"))
    lines = [(path.name, line) for path in files for line in path.read_text().splitlines()]
    wrong = [f"{name}: not a locked version: {line}" for name, line in lines if not LOCKED.fullmatch(line)]
    locked = {line.partition("==")[0] for _, line in lines}
    for need in needs():
        if need.name not in locked:
            wrong.append(f"{need.name} is in no requirements/*.txt: make lock")
        elif not need.specifier.contains(version(need.name)):
            wrong.append(f"{need} is wanted, {version(need.name)} is installed: make lock")
    tracked = subprocess.run(["git", "ls-files", "*uv.lock"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607
    if tracked.stdout:
        wrong.append("uv.lock is committed: it names a package registry; the lock is requirements/*.txt")
    if wrong:
        raise CheckFailed("\n".join(wrong) + "\n")


def prose() -> None:
    """Compare the prose with its ceilings. Prints its last line, which says how far the goal is."""
    print(run("python", ".ci/prose.py").splitlines()[-1])


def needs() -> list[Requirement]:
    """The requirements of our packages and of the dependency groups on this machine, without our own packages."""
    root, *packages = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
        for folder in (".", "server", "server/numbering", "clients/python")
    )
    groups = root["dependency-groups"]
    projects = [package["project"] for package in packages]
    extras = chain(*(project.get("optional-dependencies", {}).values() for project in projects))
    needed = chain(*(project["dependencies"] for project in projects))
    stated = chain(needed, *extras, groups["build"], groups["dev"])
    found = [Requirement(text) for text in stated]
    return [need for need in found if need.name not in OWN and (need.marker is None or need.marker.evaluate())]


STEPS: list[tuple[str, Callable[[], object]]] = [
    ("lint (ruff)", lambda: run("ruff", "check", "--quiet", "--output-format=concise")),
    ("format (ruff)", lambda: run("ruff", "format", "--check")),
    ("types (mypy --strict)", lambda: run("mypy")),
    ("imports (import-linter)", lambda: run("lint-imports", "--no-logo")),
    ("contracts: lint (buf)", lambda: run("buf", "lint")),
    (
        "contracts: format (buf)",
        lambda: run("buf", "format", "--diff", "--exit-code", "--path", "protos/bossjy"),
    ),
    ("contracts: nothing breaks (buf)", breaking),
    ("generated code is current", lambda: run("python", "clients/python/generate.py", "--check")),
    ("reference pages are current", lambda: run("python", "docs/generate/reference.py", "--check")),
    ("OpenAPI document is valid", openapi),
    ("manifests of Kubernetes, compose file", lambda: run("pytest", "-q", "-n", "0", "tests/deploy")),
    ("dashboards are current", lambda: run("python", "monitoring/grafana/make_dashboards.py", "--check")),
    ("lock (requirements/*.txt)", lock),
    ("prose (ceilings)", prose),
    # Runs tests for some minutes if these sources changed since it passed: the last step, so the others report first.
    ("phone and auth are covered, every branch", lambda: run("python", ".ci/coverage_gate.py", "--unless-measured")),
]


def main() -> int:
    """Run every step. Returns the exit status."""
    failed = 0
    start = time.monotonic()
    for name, step in STEPS:
        step_start = time.monotonic()
        try:
            step()
        except CheckFailed as error:
            failed += 1
            print(f"FAILED  {name}  {time.monotonic() - step_start:.1f} s\n{error}", end="", flush=True)
        else:
            print(f"ok      {name}  {time.monotonic() - step_start:.1f} s", flush=True)
    verdict = f"{failed} of {len(STEPS)} checks failed" if failed else f"all {len(STEPS)} checks passed"
    print(f"{verdict} in {time.monotonic() - start:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
