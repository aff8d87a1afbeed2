"""The command `bossjy-server settings`: every setting by table, with value, origin, default and meaning."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter

from bossjy_server.config import Settings, listed


def show_settings(settings: Settings, *, as_json: bool) -> int:
    """Print the settings. Returns the exit code. Secrets are not shown."""
    rows = listed(settings)
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row), ensure_ascii=False))  # noqa: T201 - the output of the command
        return 0
    for table, group in groupby(rows, attrgetter("table")):
        print(f"[{table}]")  # noqa: T201
        for row in group:
            origin = "" if row.origin == "default" else f"    ({row.origin}; default: {row.default or 'empty'})"
            print(f"{row.name}={row.value}{origin}\n    {row.key}: {row.about}")  # noqa: T201
        print()  # noqa: T201
    return 0
