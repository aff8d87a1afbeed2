"""Metrics of all workers at one endpoint. Each sample has the label `worker`; the reader can sum them.

Workers answer in the OpenMetrics format, because it alone has exemplars: a latency bucket keeps the trace of its call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_ANSWER_S = 5.0


class WorkersCollector(Collector):
    """Reads the workers' metrics on a scrape, in the endpoint's thread. A silent worker is omitted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ask: Callable[[], Awaitable[Mapping[int, str]]]) -> None:
        self._loop, self._ask = loop, ask

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: registration must not query the workers."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The families of all workers, merged."""

        async def ask() -> Mapping[int, str]:
            return await self._ask()

        texts = asyncio.run_coroutine_threadsafe(ask(), self._loop).result(_ANSWER_S)
        return merged(texts)


def merged(texts: Mapping[int, str]) -> list[Metric]:
    """Families of several workers merged by name. The samples name their worker."""
    families: dict[str, Metric] = {}
    for number, text in sorted((number, text) for number, text in texts.items() if text):
        for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
            kept = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            kept.samples.extend(
                sample._replace(labels={**sample.labels, "worker": str(number)}) for sample in family.samples
            )
    return list(families.values())
