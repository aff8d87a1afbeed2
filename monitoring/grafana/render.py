"""Pictures of the dashboards without Grafana: SVG in light and dark, from the answers of a running Prometheus.

    python3 monitoring/grafana/render.py --prometheus http://127.0.0.1:9090 --to FOLDER [--minutes 5]

It reads panels.toml, asks Prometheus each query as Grafana would, and draws lines, heat maps and tables. It needs only
Python. The pictures show the data and the titles of the panels, not Grafana's own look.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
import tomllib
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from drawing import POINTS, THEMES, Period, Series, picture  # type: ignore[import-not-found] # beside this program

FOLDER = Path(__file__).resolve().parent


class Prometheus:
    """Answers of the server at `url` for the last `minutes`."""

    def __init__(self, url: str, minutes: float) -> None:
        self._url, self.period = url, Period(time.time(), minutes * 60)

    def series(self, query: str, legend: str) -> list[Series]:
        """The lines of a query. Raises OSError."""
        step = self.period.seconds / POINTS
        asked = {"query": query, "start": self.period.end - self.period.seconds, "end": self.period.end, "step": step}
        url = f"{self._url}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - the address that the operator gave
            found = json.load(answer)["data"]["result"]
        return [self._line(one, legend, step) for one in found]

    def _line(self, found: dict[str, Any], legend: str, step: float) -> Series:
        labels: dict[str, str] = found["metric"]
        values = [math.nan] * (POINTS + 1)
        for at, text in found["values"]:
            values[min(POINTS, round((at - self.period.end + self.period.seconds) / step))] = float(text)
        name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend).strip()
        return Series(name or "value", values, labels)


def render(prometheus: Prometheus, folder: Path) -> dict[str, list[str]]:
    """Write the pictures of all dashboards. Returns the titles of the panels without data, by dashboard."""
    folder.mkdir(parents=True, exist_ok=True)
    empty: dict[str, list[str]] = {}
    for described in tomllib.loads((FOLDER / "panels.toml").read_text("utf-8"))["dashboard"]:
        name, data = described["uid"].removeprefix("bossjy-"), []
        for panel in described["panels"]:
            found: list[Series] = []
            for legend, query in panel["queries"].items():
                asked = query.replace("$__rate_interval", "1m").replace("$method", ".*").replace("$tenant", ".*")
                found += prometheus.series(asked, legend)
            data.append(found)
            if not any(math.isfinite(value) for each in found for value in each.values):
                empty.setdefault(name, []).append(panel["title"])
        for theme, colours in THEMES.items():
            (folder / f"{name}-{theme}.svg").write_text(picture(described, colours, prometheus.period, data), "utf-8")
    return empty


def main() -> int:
    """Ask, draw, and name the panels without data."""
    options = argparse.ArgumentParser(description="pictures of BossJy's dashboards, from a running Prometheus")
    options.add_argument("--prometheus", default="http://127.0.0.1:9090", help="address of Prometheus")
    options.add_argument("--to", type=Path, required=True, help="folder of the pictures")
    options.add_argument("--minutes", type=float, default=5.0, help="time that the pictures show")
    chosen = options.parse_args()
    for name, titles in render(Prometheus(chosen.prometheus, chosen.minutes), chosen.to).items():
        print(f"{name}: no data in {'; '.join(titles)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
