"""The command `bossjy-server doctor`: runs all checks at the same time, each for a limited time, and prints them."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from bossjy_server.config import Settings
from bossjy_server.doctor.certificate_check import certificate_findings
from bossjy_server.doctor.database_check import database_findings
from bossjy_server.doctor.disk_check import disk_findings
from bossjy_server.doctor.finding_report import json_line, summary, table_lines
from bossjy_server.doctor.findings import Finding, State, fail
from bossjy_server.doctor.key_check import key_findings
from bossjy_server.doctor.machine_check import machine_findings, program_findings
from bossjy_server.doctor.port_check import port_findings
from bossjy_server.doctor.redis_check import redis_findings
from bossjy_server.doctor.settings_check import settings_findings
from bossjy_server.loop import run
from bossjy_server.telemetry.logging import redact

# Parts of a check wait for `wait_s` each: to connect as the service, then as the owner, and for their statements.
_WAITS_OF_A_CHECK = 4
Check = Callable[[], Awaitable[list[Finding]]]


@dataclass(frozen=True, slots=True)
class Output:
    """The form of the output."""

    as_json: bool
    colours: bool

    def show(self, findings: list[Finding]) -> None:
        """Print findings."""
        for finding in findings:
            print(json_line(finding) if self.as_json else "\n".join(table_lines(finding, colours=self.colours)))
        sys.stdout.flush()


def examine(settings: Settings, *, as_json: bool, wait_s: float) -> int:
    """Run all checks and print their findings. Returns 0, or 1 if one of them failed."""
    return run(_examine(settings, Output(as_json, sys.stdout.isatty() and not settings.log.no_color), wait_s))


def refuse_settings(error: str, *, as_json: bool) -> int:
    """Print the only finding about settings that cannot be read. Returns 1."""
    faults = error.removeprefix("wrong settings: ").split("; ")
    action = "correct it; `bossjy-server settings` explains each setting"
    Output(as_json, sys.stdout.isatty()).show([fail("settings", fault, action) for fault in faults])
    return 1


async def _examine(settings: Settings, output: Output, wait_s: float) -> int:
    options, data_dir = settings.auth, settings.process.data_dir
    checks: dict[str, Check] = {
        "program": partial(_in_thread, partial(program_findings, settings)),
        "settings": partial(_in_thread, partial(settings_findings, settings)),
        "data folder": partial(_in_thread, partial(disk_findings, settings)),
        "keys": partial(_in_thread, partial(key_findings, data_dir, options)),
        "certificate": partial(_in_thread, partial(certificate_findings, settings.server)),
        "database": partial(database_findings, settings, wait_s),
        "redis": partial(redis_findings, settings, wait_s),
        "ports": partial(_in_thread, partial(port_findings, settings, wait_s)),
        "workers": partial(_in_thread, partial(machine_findings, settings)),
    }
    tasks = [asyncio.ensure_future(_bounded(name, check, _WAITS_OF_A_CHECK * wait_s)) for name, check in checks.items()]
    found: list[Finding] = []
    for task in tasks:
        findings = await task
        output.show(findings)
        found += findings
    if not output.as_json:
        print(f"\n{summary(found)}")
    return int(any(finding.state is State.FAIL for finding in found))


async def _bounded(name: str, check: Check, limit_s: float) -> list[Finding]:
    """The findings of a check; a failure if it takes longer than `limit_s`."""
    try:
        async with asyncio.timeout(limit_s):
            return await check()
    except TimeoutError:
        text = f"no result in {limit_s:g} s: a disk or a server does not answer"
        return [fail(name, text, "see if its disk or server hangs, or give more time with --wait-s")]
    except Exception as error:  # noqa: BLE001 - the other checks must be seen
        text = f"the check itself failed: {type(error).__name__}: {redact(str(error))}"
        return [fail(name, text, "report this as a fault of BossJy; the other lines are not affected")]


async def _in_thread(check: Callable[[], list[Finding]]) -> list[Finding]:
    """Run a blocking check in a thread that the end of the process does not wait for: a disk can hang for ever."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[Finding]] = loop.create_future()

    def deliver(findings: list[Finding] | None, error: Exception | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(findings or [])

    def work() -> None:
        findings, fault = None, None
        try:
            findings = check()
        except Exception as error:  # noqa: BLE001 - raised where the result is awaited
            fault = error
        with suppress(RuntimeError):  # too late: the command has ended
            loop.call_soon_threadsafe(deliver, findings, fault)

    threading.Thread(target=work, daemon=True).start()
    return await result
