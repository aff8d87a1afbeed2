"""Generator of the dashboard, bossjy.json, from the table below: python3 make_dashboard.py. A test compares the two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Rows of (title, unit, {legend: query}); three panels per row. `$__rate_interval` is Grafana's.
_RATE = "[$__rate_interval]"
_METHOD = 'job="bossjy",grpc_method=~"$method"'
ROWS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "Calls": [
        (
            "Calls per second by method",
            "reqps",
            {"{{grpc_method}}": f"sum by (grpc_method) (rate(grpc_server_handled_total{{{_METHOD}}}{_RATE}))"},
        ),
        (
            "Calls per second by status, without OK",
            "reqps",
            {
                "{{grpc_code}}": f'sum by (grpc_code) (rate(grpc_server_handled_total{{{_METHOD},grpc_code!="OK"}}'
                f"{_RATE}))"
            },
        ),
        (
            "Duration of a call",
            "s",
            {
                f"p{percent}": f"histogram_quantile(0.{percent}, sum by (le) "
                f"(rate(grpc_server_handling_seconds_bucket{{{_METHOD}}}{_RATE})))"
                for percent in (50, 95, 99)
            },
        ),
    ],
    "Load": [
        (
            "Running and waiting calls, by class",
            "short",
            {
                "{{class}} runs": 'sum by (class) (bossjy_class_running{job="bossjy"})',
                "{{class}} waits": 'sum by (class) (bossjy_class_queued{job="bossjy"})',
            },
        ),
        (
            "Calls refused because no slot was free",
            "reqps",
            {"{{class}}": f'sum by (class) (rate(bossjy_class_shed_total{{job="bossjy"}}{_RATE}))'},
        ),
        (
            "Calls in flight, tasks",
            "short",
            {
                "calls {{instance}}": 'sum by (instance) (bossjy_calls_running{job="bossjy"})',
                "tasks {{instance}}": 'sum by (instance) (bossjy_tasks{job="bossjy"})',
            },
        ),
    ],
    "Imports": [
        (
            "Rows per second by outcome",
            "rowsps",
            {"{{outcome}}": f'sum by (outcome) (rate(bossjy_import_rows_total{{job="bossjy"}}{_RATE}))'},
        ),
        (
            "Uploads and exports in flight",
            "short",
            {"{{instance}}": 'sum by (instance) (bossjy_class_running{job="bossjy",class="bulk"})'},
        ),
        (
            "Connections to PostgreSQL",
            "short",
            {"{{state}}": 'sum by (state) (bossjy_database_connections{job="bossjy"})'},
        ),
    ],
    "Dependencies": [
        (
            "Dependencies that answer",
            "bool",
            {"{{part}} {{instance}}": 'min by (part, instance) (bossjy_part_up{job="bossjy"})'},
        ),
        (
            "Breakers (0 closed, 1 trial, 2 open), retries per second",
            "short",
            {
                "{{part}} {{instance}}": 'max by (part, instance) (bossjy_breaker_state{job="bossjy"})',
                "retries {{part}}": f'sum by (part) (rate(bossjy_retries_total{{job="bossjy"}}{_RATE}))',
            },
        ),
        (
            "Hit rate of caches",
            "percentunit",
            {
                "{{cache}}": f'sum by (cache) (rate(bossjy_cache_requests_total{{job="bossjy",result="hit"}}{_RATE}))'
                f' / sum by (cache) (rate(bossjy_cache_requests_total{{job="bossjy",result=~"hit|miss"}}{_RATE}))'
            },
        ),
    ],
    "Processes": [
        (
            "Memory",
            "bytes",
            {"{{instance}} {{worker}}": 'process_resident_memory_bytes{job="bossjy"}'},
        ),
        (
            "CPU",
            "percentunit",
            {"{{instance}} {{worker}}": f'rate(process_cpu_seconds_total{{job="bossjy"}}{_RATE})'},
        ),
        (
            "Open files",
            "short",
            {"{{instance}} {{worker}}": 'process_open_fds{job="bossjy"}'},
        ),
    ],
}
_WIDTH, _HEIGHT = 8, 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def _panel(number: int, x: int, y: int, panel: tuple[str, str, dict[str, str]]) -> dict[str, Any]:
    title, unit, queries = panel
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
            for place, (legend, query) in enumerate(queries.items())
        ],
    }


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana 10 and later read it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": [],
            }
        )
        for place, panel in enumerate(row):
            panels.append(_panel(len(panels) + 1, place * _WIDTH, y + 1, panel))
        y += 1 + _HEIGHT
    methods = 'label_values(grpc_server_handled_total{job="bossjy"}, grpc_method)'
    return {
        "uid": "bossjy",
        "title": "BossJy",
        "tags": ["bossjy"],
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                {
                    "name": "method",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": {"query": methods, "refId": "methods"},
                    "definition": methods,
                    "includeAll": True,
                    "multi": True,
                    "allValue": ".*",
                    "refresh": 2,
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": panels,
    }


if __name__ == "__main__":
    text = json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"
    Path(__file__).with_name("bossjy.json").write_text(text, "utf-8")
