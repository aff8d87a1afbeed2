"""Texts of the alerts: each has a severity, both languages, a runbook entry, and a test in which it fires."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bossjy_server.doctor.certificate_check import SOON_DAYS
from bossjy_server.doctor.key_check import OLD_DAYS
from bossjy_server.doctor.machine_check import OLD_PLAN_DAYS

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "prometheus"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def alerts() -> dict[str, str]:
    """Name → text of each alert."""
    found: dict[str, str] = {}
    for file in ("alerts.yml", "operations.yml", "service.yml"):
        for block in (RULES / file).read_text("utf-8").split("- alert: ")[1:]:
            name, _, text = block.partition("\n")
            assert name not in found
            found[name] = text
    return found


def test_there_are_alerts_for_hosts_dependencies_and_objectives() -> None:
    assert {"HostCpuHigh", "PostgresDown", "RedisDown", "BossJyErrorBudgetFastBurn", "BossJyDown"} <= set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_both_languages_and_a_runbook(name: str) -> None:
    text = alerts()[name]
    notes = dict(re.findall(r"^ {10}(\w+): (.+)$", text, re.MULTILINE))
    assert set(notes) == {"summary", "summary_zh", "action", "action_zh", "runbook_url"}
    assert re.search(r"severity: (critical|warning|info)\b", text)
    assert _CHINESE.search(notes["summary_zh"])
    assert _CHINESE.search(notes["action_zh"])
    assert not _CHINESE.search(notes["summary"] + notes["action"])
    page, _, anchor = notes["runbook_url"].partition("#")
    headings = re.findall(r"^## (\w+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert name in headings
    assert anchor == name.lower()
    entry = (ROOT / page).read_text("utf-8").split(f"## {name}\n")[1].partition("\n## ")[0]
    assert re.search(r"^Query: `.+`$", entry, re.MULTILINE)
    assert re.search(r"^Look at: .+\.$", entry, re.MULTILINE)
    assert notes["action_zh"].strip('"') in entry


@pytest.mark.parametrize(
    ("rules", "tested"), [("alerts", "alerts_resolve"), ("operations", "operations"), ("service", "service")]
)
def test_each_alert_has_a_test_in_which_it_fires_and_resolves(rules: str, tested: str) -> None:
    tests = (RULES / f"{tested}_test.yml").read_text("utf-8")
    for name in re.findall(r"- alert: (\w+)", (RULES / f"{rules}.yml").read_text("utf-8")):
        lines = [line for line in tests.splitlines() if f'alertname="{name}"' in line]
        assert [("value: 1" in line, "exp_samples: []" in line) for line in lines] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("alert", "limit"),
    [
        ("BossJyPlanOutdated", f"> {OLD_PLAN_DAYS}"),
        ("BossJyCertificateExpires", f"< {SOON_DAYS} * 86400"),
        ("BossJySigningKeyOld", f"> {OLD_DAYS}"),
    ],
)
def test_the_doctor_warns_at_the_same_limits(alert: str, limit: str) -> None:
    (expression,) = re.findall(r"^ *expr: (.+)$", alerts()[alert], re.MULTILINE)
    assert limit in expression
