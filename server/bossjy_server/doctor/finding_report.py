"""Output of the self-check: a table for people, or one JSON object per line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from bossjy_server.doctor.findings import Finding, State

_COLOURS = {State.OK: "32", State.WARN: "33", State.FAIL: "31;1"}
_CHECK_WIDTH = 12


def json_line(finding: Finding) -> str:
    """A finding as one JSON object."""
    return json.dumps(asdict(finding), ensure_ascii=False)


def table_lines(finding: Finding, *, colours: bool) -> list[str]:
    """A finding as a line of the table, and a second one for its action."""
    state = f"{finding.state:4}"
    if colours:
        state = f"\x1b[{_COLOURS[finding.state]}m{state}\x1b[0m"
    lines = [f"{state}  {finding.check:{_CHECK_WIDTH}}  {_safe(finding.fact)}"]
    if finding.action:
        lines.append(f"{'':{6 + _CHECK_WIDTH}}  → {_safe(finding.action)}")
    return lines


def summary(findings: Iterable[Finding]) -> str:
    """The number of findings by state."""
    counts = Counter(finding.state for finding in findings)
    return ", ".join(f"{counts[state]} {state}" for state in State)


def _safe(text: str) -> str:
    """One line without control characters, which could command the terminal."""
    return "".join(one if one.isprintable() else " " for one in text)
