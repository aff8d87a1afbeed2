from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, settings

from tests.coverage_table import coverage_rows
from tests.front import NOT_NATIVE, VARIABLE
from tests.measurements import plain_table, save_figures

# Fixtures for every folder: the search for leaks, real dependencies, and the whole service on them.
pytest_plugins = ["tests.leaks", "tests.parts", "tests.service", "tests.statements.report"]

# A busy machine may take any time to run or generate an example: no test has its own deadline.
settings.register_profile("bossjy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bossjy")

START = pytest.StashKey[float]()


# `make test-gateway` and so on.
_OWN_TARGETS = frozenset({"deploy", "discovery", "engines", "gateway", "monitoring", "pooler"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--front", choices=("aio", "native"), help="front end of the servers that tests start")


def pytest_configure(config: pytest.Config) -> None:
    if front := config.getoption("front"):
        os.environ[VARIABLE] = front
    config.stash[START] = time.monotonic()
    # A shell passes an ignored Ctrl-C to tests in its background, and programs started by tests would ignore it as
    # well.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave folders that need programs of their own to their targets, which install them."""
    if collection_path.name not in _OWN_TARGETS or collection_path.parent != Path(__file__).parent:
        return None
    named = any(collection_path.name in Path(argument.partition("::")[0]).parts for argument in config.args)
    return None if named else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect the failures that tests/front.py lists for the native front end."""
    if config.getoption("front") == "native":
        for item in items:
            if reason := NOT_NATIVE.get(item.nodeid):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The tests run on the event loop of the service."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show coverage by package if it was measured; a whole run also writes build/figures/tests.json."""
    report = (config.getoption("cov_report") or {}).get("json")
    if not report or not Path(report).exists():
        return
    rows = coverage_rows(Path(report))
    lines = [(package, statements, missed, f"{covered:.1f}") for package, statements, missed, covered in rows]
    terminalreporter.section("coverage by package")
    for line in plain_table([("package", "statements", "missed", "covered %"), *lines]):
        terminalreporter.write_line(line)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.getoption("keyword"):
        outcomes = ("passed", "failed", "error", "skipped", "xfailed")
        figures: dict[str, float] = {f"{name}_tests": len(terminalreporter.getreports(name)) for name in outcomes}
        figures["test_s"] = round(time.monotonic() - config.stash[START], 1)
        for package, _, _, covered in rows:
            figures[f"coverage_{package.replace('.', '_')}_percent"] = round(covered, 1)
        save_figures("tests", figures)
