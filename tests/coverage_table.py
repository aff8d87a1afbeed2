"""Coverage by package, for the end of a test run."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

SOURCES = (Path("server"), Path("clients/python"))


def coverage_rows(report: Path) -> list[tuple[str, int, int, float]]:
    """Package, statements, statements missed and per cent covered; the total last.

    report: the JSON report of coverage.py. It names every file of our packages, also files that no test imported,
    relative to the root of the repository.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, file in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        numbers = {key: value for key, value in file["summary"].items() if isinstance(value, int)}
        for package in (package_of(Path(name)), "total"):
            counts[package].update(numbers)
    total = counts.pop("total", Counter())
    lines = [*sorted(counts.items()), ("total", total)]
    return [(package, n["num_statements"], n["missing_lines"], percent(n)) for package, n in lines]


def package_of(path: Path) -> str:
    """`bossjy_server.rpc` for its files; other packages, and modules at the server's top, as a whole."""
    for source in SOURCES:
        if path.is_relative_to(source):
            package, *rest = path.relative_to(source).parts
            return f"{package}.{rest[0]}" if package == "bossjy_server" and len(rest) > 1 else package
    raise ValueError(f"no file of ours: {path}")


def percent(numbers: Counter[str]) -> float:
    """The percentage of statements that ran; 100 if there are none."""
    return 100 * numbers["covered_lines"] / numbers["num_statements"] if numbers["num_statements"] else 100.0
