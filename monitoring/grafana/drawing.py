"""Drawing of a dashboard as SVG: lines, heat maps and tables of series, in a light or dark theme."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from html import escape
from typing import Any

POINTS = 60
_LINES_MOST, _ROWS_MOST = 8, 8
_PANEL, _COLUMNS, _MARGIN = (560, 250), 2, 16
_TICKS = 4
_FONTS = "Inter, Helvetica, Arial, Noto Sans CJK SC, Microsoft YaHei, sans-serif"
THEMES = {
    "light": {"page": "#f4f5f5", "panel": "#ffffff", "text": "#24292e", "faint": "#6e7781", "grid": "#e1e4e8"},
    "dark": {"page": "#111217", "panel": "#181b1f", "text": "#d8d9da", "faint": "#9a9ca0", "grid": "#2c3235"},
}
_COLOURS = ("#3274d9", "#e0752d", "#299c46", "#a352cc", "#d44a3a", "#1f9e9e", "#b5891b", "#c15c9b")
_SCALES = {"bytes": 1024.0, "Bps": 1024.0}
_PREFIXES = ("", "k", "M", "G", "T")


@dataclass(frozen=True)
class Period:
    """The time that a picture shows: its end in Unix time, and its length."""

    end: float
    seconds: float


@dataclass
class Series:
    """One line: its legend, and a value at each time; NaN where there is none."""

    legend: str
    values: list[float]
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The mean of the known values."""
        known = [one for one in self.values if math.isfinite(one)]
        return sum(known) / len(known) if known else 0.0


def shown(value: float, unit: str) -> str:
    """A value with its unit."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    scale, place = _SCALES.get(unit, 1000.0), 0
    while abs(value) >= scale and place < len(_PREFIXES) - 1 and unit not in {"s", "d"}:
        value, place = value / scale, place + 1
    name = {"bytes": "B", "Bps": "B/s", "s": "s", "d": "d", "reqps": "/s", "ops": "/s", "rowsps": "rows/s"}.get(
        unit, ""
    )
    return f"{value:.3g} {_PREFIXES[place]}{name}".strip()


def _text(
    x: float, y: float, text: str, colour: str, *, size: int = 11, anchor: str = "start", bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"{weight}'
    return f"<text {place}>{escape(text)}</text>"


def _rect(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {look}/>'


class Drawing:
    """One panel at the origin."""

    left, top, right, bottom = 62, 34, 12, 64

    def __init__(self, panel: dict[str, Any], theme: dict[str, str], period: Period) -> None:
        self._panel, self._theme, self._period = panel, theme, period
        self._width, self._height = _PANEL[0] - self.left - self.right, _PANEL[1] - self.top - self.bottom
        self._unit: str = panel["unit"]

    def svg(self, series: list[Series]) -> str:
        """The panel with its frame and title."""
        width, height = _PANEL
        parts = [
            _rect(0, 0, width, height, f'rx="3" fill="{self._theme["panel"]}" stroke="{self._theme["grid"]}"'),
            _text(12, 20, self._panel["title"], self._theme["text"], size=12, bold=True),
        ]
        kind = self._panel.get("kind", "")
        known = [one for one in series if any(map(math.isfinite, one.values))]
        if not known:
            parts.append(_text(width / 2, height / 2, "No data", self._theme["faint"], size=13, anchor="middle"))
        elif kind == "table":
            parts += self._table(known)
        elif kind == "heatmap":
            parts += self._heat(known)
        else:
            parts += self._lines(known)
        return "".join(parts)

    def _lines(self, series: list[Series]) -> list[str]:
        drawn = sorted(series, key=lambda one: -one.mean)[:_LINES_MOST]
        most = max(one for each in drawn for one in each.values if math.isfinite(one)) or 1.0
        parts = [*self._axes(most), *self._legend(drawn, len(series))]
        for number, each in enumerate(drawn):
            for points in self._runs(each.values, most):
                dot = len(points) == 1
                look = f'fill="none" stroke="{_COLOURS[number]}" stroke-width="{3 if dot else 1.5}"'
                cap = ' stroke-linecap="round"' if dot else ""
                parts.append(f'<polyline points="{" ".join(points * 2 if dot else points)}" {look}{cap}/>')
        return parts

    def _runs(self, values: list[float], most: float) -> list[list[str]]:
        """Points of a line, divided where values are missing."""
        runs: list[list[str]] = [[]]
        for place, value in enumerate(values):
            if not math.isfinite(value):
                runs.append([])
                continue
            x = self.left + self._width * place / POINTS
            y = self.top + self._height * (1 - max(0.0, value) / most)
            runs[-1].append(f"{x:.1f},{y:.1f}")
        return [run for run in runs if run]

    def _axes(self, most: float) -> list[str]:
        grid, faint = self._theme["grid"], self._theme["faint"]
        parts = []
        for tick in range(_TICKS + 1):
            y = self.top + self._height * (1 - tick / _TICKS)
            parts.append(
                f'<line x1="{self.left}" x2="{self.left + self._width}" y1="{y:g}" y2="{y:g}" stroke="{grid}"/>'
            )
            parts.append(
                _text(self.left - 6, y + 4, shown(most * tick / _TICKS, self._unit), faint, size=10, anchor="end")
            )
        return parts + self._times()

    def _times(self) -> list[str]:
        parts = []
        for tick in range(_TICKS + 1):
            at = time.gmtime(self._period.end - self._period.seconds * (1 - tick / _TICKS))
            x = self.left + self._width * tick / _TICKS
            anchor = "end" if tick == _TICKS else "middle"
            y = self.top + self._height + 15
            parts.append(_text(x, y, time.strftime("%H:%M:%S", at), self._theme["faint"], size=10, anchor=anchor))
        return parts

    def _legend(self, drawn: list[Series], total: int) -> list[str]:
        parts, x, y = [], float(self.left), float(_PANEL[1] - 28)
        names = [one.legend for one in drawn]
        if total > len(drawn):
            names[-1] += f" (+ {total - len(drawn)})"
        for number, name in enumerate(names):
            width = 22 + 6.0 * min(len(name), 34)
            if x + width > _PANEL[0] - 8 and x > self.left:
                x, y = float(self.left), y + 14
            if y > _PANEL[1] - 6:
                break
            parts.append(_rect(x, y - 8, 10, 3, f'fill="{_COLOURS[number]}"'))
            parts.append(_text(x + 14, y - 3, name[:34], self._theme["faint"], size=10))
            x += width
        return parts

    def _heat(self, series: list[Series]) -> list[str]:
        """Cumulative buckets as a heat map: the increase from one bound to the next."""
        rows = sorted((one for one in series if "le" in one.labels), key=lambda one: float(one.labels["le"]))
        cells: list[tuple[int, int, float]] = []
        for row, each in enumerate(rows):
            below = rows[row - 1].values if row else [0.0] * len(each.values)
            for place, (value, less) in enumerate(zip(each.values, below, strict=True)):
                if math.isfinite(value) and math.isfinite(less) and value - less > 0:
                    cells.append((row, place, value - less))
        most = max((value for _, _, value in cells), default=1.0)
        height, width = self._height / max(1, len(rows)), self._width / (POINTS + 1)
        parts = self._times()
        for row, place, value in cells:
            x, y = self.left + place * width, self.top + self._height - (row + 1) * height
            strength = 0.15 + 0.85 * value / most
            parts.append(_rect(x, y, width, height, f'fill="#e0752d" fill-opacity="{strength:.2f}"'))
        for row, each in enumerate(rows):
            bound = float(each.labels["le"])
            y = self.top + self._height - row * height - height / 2 + 3
            label = shown(bound, "s") if math.isfinite(bound) else "more"
            parts.append(_text(self.left - 6, y, label, self._theme["faint"], size=9, anchor="end"))
        return parts

    def _table(self, series: list[Series]) -> list[str]:
        latest = [(next((v for v in reversed(one.values) if math.isfinite(v)), 0.0), one) for one in series]
        parts = []
        for number, (value, one) in enumerate(sorted(latest, key=lambda pair: -pair[0])[:_ROWS_MOST]):
            y = self.top + 18 + number * 22
            parts.append(_text(14, y, one.legend[:76], self._theme["text"], size=10))
            parts.append(
                _text(_PANEL[0] - 14, y, shown(value, self._unit), self._theme["text"], anchor="end", bold=True)
            )
        return parts


def picture(described: dict[str, Any], theme: dict[str, str], period: Period, data: list[list[Series]]) -> str:
    """One dashboard as SVG."""
    width, height = _PANEL
    rows = -(-len(described["panels"]) // _COLUMNS)
    total = (_COLUMNS * (width + _MARGIN) + _MARGIN, rows * (height + _MARGIN) + _MARGIN + 36)
    size = f'viewBox="0 0 {total[0]} {total[1]}" width="{total[0]}" height="{total[1]}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}">',
        _rect(0, 0, *total, f'fill="{theme["page"]}"'),
        _text(_MARGIN, 32, described["title"], theme["text"], size=18, bold=True),
    ]
    for number, (panel, series) in enumerate(zip(described["panels"], data, strict=True)):
        x = _MARGIN + number % _COLUMNS * (width + _MARGIN)
        y = 36 + _MARGIN + number // _COLUMNS * (height + _MARGIN)
        parts.append(f'<g transform="translate({x} {y})">{Drawing(panel, theme, period).svg(series)}</g>')
    return "\n".join([*parts, "</svg>\n"])
