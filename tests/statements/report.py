"""The sixty statements of auth, by number, at the end of a run; build/figures/auth.json contains the number that pass.

A test names its statement with `@pytest.mark.statement(7)`. A statement has passed if all of its tests that ran passed,
and at least one ran.
"""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from tests.measurements import FOLDER, RESERVED, plain_table, save_figures

STATEMENTS = range(1, 61)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "statement(number): which of the sixty statements of auth the test proves")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("statement"):
            item.user_properties.append(("statement", mark.args[0]))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the statements whose tests ran. The figure is written if all sixty did."""
    outcomes: dict[int, set[str]] = defaultdict(set)
    for outcome in ("passed", "failed", "error", "skipped", "xfailed"):
        for report in terminalreporter.getreports(outcome):
            for name, number in getattr(report, "user_properties", ()):  # a failure at collection has none
                if name == "statement":
                    outcomes[int(number)].add(outcome)
    if not outcomes:
        return
    verdicts = {n: "passed" if found == {"passed"} else " and ".join(sorted(found)) for n, found in outcomes.items()}
    terminalreporter.section("statements of auth")
    for line in plain_table([("statement", "verdict"), *(((f"{n}"), verdicts[n]) for n in sorted(verdicts))]):
        terminalreporter.write_line(line)
    if set(verdicts) == set(STATEMENTS):
        passed = sum(verdict == "passed" for verdict in verdicts.values())
        save_figures("auth", {**_others(), "statements_passed": passed})


def _others() -> dict[str, float]:
    """The figures that the bench of auth wrote into the same file."""
    path = FOLDER / "auth.json"
    if not path.exists():
        return {}
    written = json.loads(path.read_text("utf-8"))
    return {name: value for name, value in written.items() if name not in RESERVED}
