"""Coverage of phone and auth by their own tests, every line and branch: `make check-coverage`, a step of `make check`.

The tests run for some minutes, so the result is kept with a hash of the measured sources: `--unless-measured` runs
nothing while the sources are the same. Exit status 1 if a test fails or a branch is missed. Python 3.11 measures lines
only: it reports the branches that leave an `async with` block as missed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ".ci/coverage_gate.toml"
FEATURES = ("auth", "phone")
TESTS = [f"tests/{kind}/{feature}" for feature in FEATURES for kind in ("unit", "integration")]
SOURCES = [*(f"server/bossjy_server/{feature}" for feature in FEATURES), *TESTS]
OUTPUT = ROOT / "build" / "coverage_gate"
MEASURED = OUTPUT / "measured.json"


def sources_hash() -> str:
    """SHA-256 of the measured code, its tests and this gate, with their paths."""
    digest = hashlib.sha256()
    files = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    for path in sorted([*files, ROOT / CONFIG, Path(__file__).resolve()]):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def measured() -> bool:
    """True if exactly these sources passed before."""
    try:
        return bool(json.loads(MEASURED.read_text())["sources_sha256"] == sources_hash())
    except (OSError, ValueError, KeyError):
        return False


def configuration() -> Path:
    """The configuration of coverage for this Python."""
    if sys.version_info >= (3, 12):
        return ROOT / CONFIG
    print("Python 3.11: lines are measured, branches are not", flush=True)
    lines = OUTPUT / "lines.toml"
    lines.write_text((ROOT / CONFIG).read_text().replace("branch = true", "branch = false"))
    return lines


def measure() -> int:
    """Run the tests and require 100 %. Returns pytest's exit status."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    before, start = sources_hash(), time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "--cov", "--cov-report=term"]
    command += [f"--cov-config={configuration()}", "--timeout=300"]
    # Traced code is slow, so a test may take longer than its usual limit.
    done = subprocess.run([*command, *TESTS], cwd=ROOT, check=False)
    # If the sources changed meanwhile, the run measured others.
    if done.returncode == 0 and sources_hash() == before:
        figures = {"sources_sha256": before, "seconds": round(time.monotonic() - start, 1)}
        MEASURED.write_text(json.dumps(figures, indent=2) + "\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(0 if "--unless-measured" in sys.argv[1:] and measured() else measure())
