"""Generator of the dashboard, bossjy.json, from the table below: python3 make_dashboard.py. A test compares the two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Rows of (title, unit, {legend: query}); three panels per row. `$__rate_interval` is Grafana's.
_RATE = "[$__rate_interval]"
_NODE, _PG, _REDIS = '{job="node"}', '{job="postgres"}', '{job="redis"}'
_METHOD = 'job="bossjy",grpc_method=~"$method"'
ROWS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "Calls · 调用": [
        (
            "Calls per second by method · 每秒调用数（按方法）",
            "reqps",
            {"{{grpc_method}}": f"sum by (grpc_method) (rate(grpc_server_handled_total{{{_METHOD}}}{_RATE}))"},
        ),
        (
            "Calls per second by status, without OK · 每秒失败调用数（按状态码）",
            "reqps",
            {
                "{{grpc_code}}": f'sum by (grpc_code) (rate(grpc_server_handled_total{{{_METHOD},grpc_code!="OK"}}'
                f"{_RATE}))"
            },
        ),
        (
            "Duration of a call · 调用耗时",
            "s",
            {
                f"p{percent}": f"histogram_quantile(0.{percent}, sum by (le) "
                f"(rate(grpc_server_handling_seconds_bucket{{{_METHOD}}}{_RATE})))"
                for percent in (50, 95, 99)
            },
        ),
    ],
    "Load · 负载": [
        (
            "Running and waiting calls, by class · 运行和等待的调用（按类别）",
            "short",
            {
                "{{class}} runs": 'sum by (class) (bossjy_class_running{job="bossjy"})',
                "{{class}} waits": 'sum by (class) (bossjy_class_queued{job="bossjy"})',
            },
        ),
        (
            "Calls refused because no slot was free · 因过载拒绝的调用",
            "reqps",
            {"{{class}}": f'sum by (class) (rate(bossjy_class_shed_total{{job="bossjy"}}{_RATE}))'},
        ),
        (
            "Calls in flight, tasks · 进行中的调用和任务",
            "short",
            {
                "calls {{instance}}": 'sum by (instance) (bossjy_calls_running{job="bossjy"})',
                "tasks {{instance}}": 'sum by (instance) (bossjy_tasks{job="bossjy"})',
            },
        ),
    ],
    "Imports · 导入": [
        (
            "Rows per second by outcome · 每秒导入行数（按结果）",
            "rowsps",
            {"{{outcome}}": f'sum by (outcome) (rate(bossjy_import_rows_total{{job="bossjy"}}{_RATE}))'},
        ),
        (
            "Uploads and exports in flight · 进行中的上传和导出",
            "short",
            {"{{instance}}": 'sum by (instance) (bossjy_class_running{job="bossjy",class="bulk"})'},
        ),
        (
            "Connections to PostgreSQL · PostgreSQL 连接",
            "short",
            {"{{state}}": 'sum by (state) (bossjy_database_connections{job="bossjy"})'},
        ),
    ],
    "Dependencies · 依赖": [
        (
            "Dependencies that answer · 依赖是否响应",
            "bool",
            {"{{part}} {{instance}}": 'min by (part, instance) (bossjy_part_up{job="bossjy"})'},
        ),
        (
            "Breakers (0 closed, 1 trial, 2 open), retries per second · 熔断器（0 关闭，1 试探，2 打开）和每秒重试",
            "short",
            {
                "{{part}} {{instance}}": 'max by (part, instance) (bossjy_breaker_state{job="bossjy"})',
                "retries {{part}}": f'sum by (part) (rate(bossjy_retries_total{{job="bossjy"}}{_RATE}))',
            },
        ),
        (
            "Hit rate of caches · 缓存命中率",
            "percentunit",
            {
                "{{cache}}": f'sum by (cache) (rate(bossjy_cache_requests_total{{job="bossjy",result="hit"}}{_RATE}))'
                f' / sum by (cache) (rate(bossjy_cache_requests_total{{job="bossjy",result=~"hit|miss"}}{_RATE}))'
            },
        ),
    ],
    "Processes · 进程": [
        (
            "Memory · 内存",
            "bytes",
            {"{{instance}} {{worker}}": 'process_resident_memory_bytes{job="bossjy"}'},
        ),
        (
            "CPU · 处理器",
            "percentunit",
            {"{{instance}} {{worker}}": f'rate(process_cpu_seconds_total{{job="bossjy"}}{_RATE})'},
        ),
        (
            "Open files · 打开的文件",
            "short",
            {"{{instance}} {{worker}}": 'process_open_fds{job="bossjy"}'},
        ),
    ],
    "System · 系统": [
        (
            "CPU in use · CPU 使用率",
            "percentunit",
            {"{{instance}}": f'1 - avg by (instance) (rate(node_cpu_seconds_total{{job="node",mode="idle"}}{_RATE}))'},
        ),
        (
            "Memory in use · 内存使用率",
            "percentunit",
            {"{{instance}}": f"1 - node_memory_MemAvailable_bytes{_NODE} / node_memory_MemTotal_bytes{_NODE}"},
        ),
        (
            "Disk and network · 磁盘和网络",
            "Bps",
            {
                f"{name} {{{{instance}}}}": f"sum by (instance) (rate(node_{metric}_bytes_total{_NODE}{_RATE}))"
                for name, metric in {
                    "read": "disk_read",
                    "written": "disk_written",
                    "received": "network_receive",
                    "sent": "network_transmit",
                }.items()
            },
        ),
    ],
    "PostgreSQL · 数据库": [
        (
            "Connections by state · 连接（按状态）",
            "short",
            {"{{state}}": 'sum by (state) (pg_stat_activity_count{job="postgres"})'},
        ),
        (
            "Buffer hit ratio · 缓冲命中率",
            "percentunit",
            {
                "hits": f"sum(rate(pg_stat_database_blks_hit{_PG}{_RATE})) / (sum(rate(pg_stat_database_blks_hit{_PG}"
                f"{_RATE})) + sum(rate(pg_stat_database_blks_read{_PG}{_RATE})))"
            },
        ),
        (
            "Longest transaction · 最长事务",
            "s",
            {"{{state}}": 'max by (state) (pg_stat_activity_max_tx_duration{job="postgres"})'},
        ),
    ],
    "Redis": [
        (
            "Hit rate · 命中率",
            "percentunit",
            {
                "hits": f"sum(rate(redis_keyspace_hits_total{_REDIS}{_RATE})) / (sum(rate(redis_keyspace_hits_total"
                f"{_REDIS}{_RATE})) + sum(rate(redis_keyspace_misses_total{_REDIS}{_RATE})))"
            },
        ),
        ("Memory in use · 内存使用", "bytes", {"{{instance}}": f"redis_memory_used_bytes{_REDIS}"}),
        (
            "Keys and connections · 键和连接",
            "short",
            {
                "keys {{db}}": f"redis_db_keys{_REDIS}",
                "connections {{instance}}": f"redis_connected_clients{_REDIS}",
            },
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
