from __future__ import annotations

import re

import pytest

from bossjy_client.cli.exit_codes import ExitCode
from tests.e2e.tool.conftest import Run, objects

# Proved by trying every number: docs/decisions/0013.
CHANGED = {"CV": (100_000, 0, 0), "SR": (100_000, 0, 0), "SB": (230_000, 0, 0)}


@pytest.mark.timeout(300)
def test_what_changed_between_two_plans(run: Run) -> None:
    newest = objects(run("plan", "show", "--json"))[0]["comparable_versions"][-1]
    # On a busy machine the first count exceeds the deadline of a call; it continues, and the next call finds it.
    for _ in range(3):
        if run("plan", "diff", "9.0.38", "--json", code=None).returncode != ExitCode.UNREACHED:
            break
    (said,) = objects(run("plan", "diff", "9.0.38", "--json"))
    assert (said["from_version"], said["to_version"]) == ("9.0.38", newest)
    for name in ("newly_valid_count", "newly_invalid_count", "retyped_count"):
        assert int(said[name]) == sum(int(one[name]) for one in said["differences"])
    if newest == "9.0.43":
        assert [int(said[name]) for name in ("newly_valid_count", "newly_invalid_count", "retyped_count")] == [
            144_039_000,
            119_033_851,
            11_796_000,
        ]
        for region, counts in CHANGED.items():
            (one,) = [one for one in said["differences"] if one["region_code"] == region]
            found = [int(one[name]) for name in ("newly_valid_count", "newly_invalid_count", "retyped_count")]
            assert tuple(found) == counts

    shown = run("plan", "diff", "9.0.38", newest, "--region", "SB").stdout
    assert f"9.0.38 to {newest}" in shown
    assert re.search(r"SB +\+677 +MOBILE +230,000 +0 +0 +\+677\d+x*", shown)
    assert re.search(r"all +230,000 +0 +0", shown)
    same = run("plan", "diff", newest, newest)
    assert (same.stdout, "no number changed" in same.stderr) == ("", True)
    assert "PLAN_UNKNOWN" in run("plan", "diff", "1.2.3", code=4).stderr
