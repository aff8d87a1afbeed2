"""Generator of the dashboards from panels.toml: python3 make_dashboards.py writes dashboards/*.json; --check compares.

It needs only Python, so that an operator can change a panel without an environment.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
# Two panels of a row; a table or a heat map has the same size.
_WIDTH, _HEIGHT, _ROW = 12, 8, 2
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_TYPES = {"": "timeseries", "heatmap": "heatmap", "table": "table"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    "heatmap": {"calculate": False, "yAxis": {"unit": "s"}, "color": {"mode": "scheme", "scheme": "Oranges"}},
    "table": {"showHeader": True},
}


def _targets(panel: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    targets: list[dict[str, Any]] = []
    for place, (legend, query) in enumerate(panel["queries"].items()):
        target = {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
        if kind == "heatmap":
            target["format"] = "heatmap"
        if kind == "table":
            target |= {"format": "table", "instant": True, "range": False}
        if panel.get("exemplars"):
            target["exemplar"] = True
        targets.append(target)
    return targets


def _panel(number: int, panel: dict[str, Any]) -> dict[str, Any]:
    kind = _TYPES[panel.get("kind", "")]
    return {
        "id": number + 1,
        "type": kind,
        "title": panel["title"],
        "datasource": _SOURCE,
        "gridPos": {
            "x": number % _ROW * _WIDTH,
            "y": number // _ROW * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "options": _OPTIONS[kind],
        "targets": _targets(panel, kind),
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard(described: dict[str, Any]) -> dict[str, Any]:
    """One dashboard, as Grafana 10 and later read it."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    variables = [_variable(*one) for one in described.get("variables", {}).items()]
    return {
        "uid": described["uid"],
        "title": described["title"],
        "tags": ["bossjy"],
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "BossJy", "tags": ["bossjy"], "asDropdown": True, "keepTime": True}],
        "templating": {"list": [source, *variables]},
        "panels": [_panel(number, panel) for number, panel in enumerate(described["panels"])],
    }


def dashboards() -> dict[str, str]:
    """The text of each file, by its name."""
    described = tomllib.loads((FOLDER / "panels.toml").read_text("utf-8"))["dashboard"]
    return {
        f"{one['uid'].removeprefix('bossjy-')}.json": json.dumps(dashboard(one), indent=1, ensure_ascii=False) + "\n"
        for one in described
    }


def main() -> int:
    """Write the files, or compare them. Returns 1 if one differs."""
    options = argparse.ArgumentParser(description="dashboards of BossJy from panels.toml")
    options.add_argument("--check", action="store_true", help="compare dashboards/*.json and write nothing")
    check = options.parse_args().check
    folder, wanted = FOLDER / "dashboards", dashboards()
    found = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    if check:
        wrong = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        if wrong:
            print(f"{', '.join(wrong)} differ from panels.toml: run python3 monitoring/grafana/make_dashboards.py")
        return bool(wrong)
    folder.mkdir(exist_ok=True)
    for name in found.keys() - wanted.keys():
        (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
