"""First run of a new user: a fresh clone, an empty home, `make run ONCE=1`, `make test`. Both are timed and must pass.

    python -m tests.performance.first_run

Clones the committed state of this checkout into a temporary folder with an empty HOME and empty caches. The time of the
first command includes its installations. Writes build/figures/first_run.json here, from the figures that the clone's
own tests wrote.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.measurements import write_figures

ROOT = Path(__file__).resolve().parents[2]
# Kept from the environment: access to a package index, and the language of texts. Nothing of ours.
KEPT = re.compile(
    r"PATH|LANG|LC_\w+|TERM|\w*_CERT\w*|\w*_CA_BUNDLE|PIP_\w+|UV_\w*INDEX\w*|HTTPS?_PROXY|NO_PROXY", re.IGNORECASE
)
_LIMIT_S = 2400


def timed(clone: Path, environment: dict[str, str], *arguments: str) -> tuple[float, str]:
    """Run make in the clone. Returns its seconds and its output; ends this program if it failed."""
    print(f"make {' '.join(arguments)} …", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_LIMIT_S,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode != 0:
        print(done.stdout[-8000:])
        sys.exit(f"make {' '.join(arguments)} failed with {done.returncode} after {seconds:.0f} s")
    return seconds, done.stdout


def counted(output: str, name: str) -> int:
    """The number of `name` in the demonstration's table."""
    found = re.search(rf"{name}\s*[│|]\s*([\d,]+)", output)
    if found is None:
        sys.exit(f"the demonstration's table has no line {name!r}")
    return int(found.group(1).replace(",", ""))


def main() -> int:
    """Clone, run, test, write the figures."""
    with tempfile.TemporaryDirectory(prefix="bossjy-first-") as folder:
        clone, home = Path(folder) / "clone", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)} | {"HOME": str(home)}
        run_s, output = timed(clone, environment, "run", "ONCE=1")
        test_s, _ = timed(clone, environment, "test")
        written = clone / "build" / "figures"
        tests = json.loads((written / "tests.json").read_text())
        fuzz = json.loads((written / "fuzz.json").read_text())
    figures = {
        "run_once_s": round(run_s, 1),
        "test_s": round(test_s, 1),
        "imported": counted(output, "new contacts"),
        "rejected": counted(output, "refused"),
        "coverage_percent": tests["coverage_total_percent"],
        "passed_tests": tests["passed_tests"],
        "fuzz_requests": fuzz["fuzz_requests"],
        "fuzz_internal": fuzz["fuzz_internal"],
    }
    write_figures("first_run", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
