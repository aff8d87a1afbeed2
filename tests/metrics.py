"""Metrics of a server, parsed like Prometheus parses them."""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def samples(port: int) -> list[Sample]:
    """All samples of the process with its metrics on that port of loopback. Blocks, 10 s at most."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(port: int, name: str) -> float:
    """The sum of a metric over its label sets. Raises KeyError if there is none. Blocks."""
    found = [sample.value for sample in samples(port) if sample.name == name]
    if not found:
        raise KeyError(f"no metric {name}")
    return sum(found)
