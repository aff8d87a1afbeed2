"""Rules of the PrometheusRule, as promtool reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.e2e.conftest import ROOT


def test_promtool_accepts_the_rules_of_the_object(tmp_path: Path) -> None:
    made = yaml.safe_load((ROOT / "deploy/kubernetes/production/prometheus-rules.yaml").read_text("utf-8"))
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(made["spec"], allow_unicode=True), "utf-8")
    command = ["promtool", "check", "rules", str(tmp_path / "rules.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rules = sum(len(group["rules"]) for group in made["spec"]["groups"])
    assert f"SUCCESS: {rules} rules found" in done.stdout
