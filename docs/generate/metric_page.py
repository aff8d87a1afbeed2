"""Page of the metrics, from the calls in the sources of the server that make their families."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from page import code, head, table

_ABOUT = """\
The operations port serves them at `/metrics` in the text form of Prometheus. With several workers each sample also has
the label `worker`. The metrics of the Python process (`process_…`, `python_…`) are those of `prometheus_client`.
[Monitoring](../../monitoring/README.md) has alerts and a dashboard that use them."""
_KINDS = {
    "Counter": "counter",
    "CounterMetricFamily": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
    "HistogramMetricFamily": "histogram",
}
_LIBRARY = "prometheus_client"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `name` is the family's, without the suffix of its samples."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    module: str

    @property
    def shown(self) -> str:
        """The name in queries."""
        return {"counter": f"{self.name}_total", "histogram": f"{self.name}_bucket, _sum, _count"}.get(
            self.kind, self.name
        )


def metrics_page(server: Path) -> str:
    """The page, of the sources below `server`."""
    text = head("Metrics", "the sources of the server", _ABOUT) + "\n"
    rows = [
        (code(one.shown), one.kind, ", ".join(map(code, one.labels)), one.meaning, code(one.module))
        for one in sorted(families(server), key=lambda one: one.name)
    ]
    return text + table(("metric", "type", "labels", "meaning", "module"), rows)


def families(server: Path) -> list[Family]:
    """The metrics of the sources below `server`. Raises SystemExit for one that cannot be read from its source."""
    found: list[Family] = []
    for path in sorted((server / "bossjy_server").rglob("*.py")):
        module = ".".join(path.relative_to(server).with_suffix("").parts)
        found += _of_module(ast.parse(path.read_text("utf-8")), module)
    return found


def _of_module(tree: ast.Module, module: str) -> Iterator[Family]:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_LIBRARY)
        for alias in node.names
    }
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            kind = _KINDS.get(node.func.id)
            if kind and node.func.id in imported:
                yield _family(node, kind, module, constants)


def _family(call: ast.Call, kind: str, module: str, constants: dict[str, ast.expr]) -> Family:
    named = {one.arg: one.value for one in call.keywords}
    labels = named.get("labels") or named.get("labelnames") or (call.args[2] if len(call.args) > 2 else None)
    try:
        name, meaning = (ast.literal_eval(one) for one in call.args[:2])
        return Family(name, kind, tuple(_labels(labels, constants)), meaning, module)
    except (ValueError, KeyError) as error:
        raise SystemExit(
            f"{module}, line {call.lineno}: the metric's name, meaning and labels must be constants: {error}"
        ) from error


def _labels(node: ast.expr | None, constants: dict[str, ast.expr]) -> Iterator[str]:
    """The names in a list of labels; constants of the module are replaced by their values."""
    if isinstance(node, ast.Name):
        yield from _labels(constants[node.id], constants)
    elif isinstance(node, ast.List | ast.Tuple):
        for one in node.elts:
            if isinstance(one, ast.Starred):
                yield from _labels(one.value, constants)
            else:
                yield ast.literal_eval(one)
    elif node is not None:
        raise ValueError(ast.unparse(node))
