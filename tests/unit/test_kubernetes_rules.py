"""PrometheusRule of deploy/kubernetes: it has the rules of monitoring/, in the form that the operator accepts."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from tests.unit.test_alerts import ROOT, RULES, alerts

FILE = ROOT / "deploy" / "kubernetes" / "production" / "prometheus-rules.yaml"
MAKE = RULES / "make_kubernetes_rules.py"
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_TIME = {"type": "string", "pattern": r"^(0|(\d+[ywdhms])+)$"}
# The fields that the operator's definition of the object has and this one uses; its API server drops any other.
_RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["expr"],
    "oneOf": [{"required": ["alert", "annotations"]}, {"required": ["record"]}],
    "properties": {
        "alert": {"type": "string", "pattern": r"^\w+$"},
        "record": {"type": "string", "pattern": r"^[a-zA-Z_:]\w*(:\w+)*$"},
        "expr": {"type": "string", "minLength": 1},
        "for": _TIME,
        "labels": _TEXTS,
        "annotations": _TEXTS,
    },
}
_GROUP = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "rules"],
    "properties": {"name": {"type": "string", "minLength": 1}, "interval": _TIME, "rules": {"items": _RULE}},
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "PrometheusRule"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["groups"],
            "properties": {"groups": {"type": "array", "minItems": 1, "items": _GROUP}},
        },
    },
}


def test_it_has_all_rules_in_the_form_of_the_operator() -> None:
    made: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(made)] == []
    names = [group["name"] for group in made["spec"]["groups"]]
    assert len(names) == len(set(names))  # a map by the name, for the API server
    rules = [rule for group in made["spec"]["groups"] for rule in group["rules"]]
    assert {rule["alert"] for rule in rules if "alert" in rule} == set(alerts())
    sources = [group for path in RULES.glob("*.yml") for group in yaml.safe_load(path.read_text()).get("groups", ())]
    assert sorted(names) == sorted(group["name"] for group in sources)
    assert all(group in sources for group in made["spec"]["groups"])


@pytest.mark.parametrize("fault", [{"expr": ""}, {"for": "ten"}, {"severity": "warning"}, {"labels": {"a": 1}}])
def test_the_schema_finds_faults(fault: dict[str, Any]) -> None:
    made = yaml.safe_load(FILE.read_text("utf-8"))
    made["spec"]["groups"][1]["rules"][0] |= fault
    assert not Draft7Validator(SCHEMA).is_valid(made)


def test_it_is_what_its_program_makes() -> None:
    done = subprocess.run([sys.executable, str(MAKE), "--check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
