"""Metrics of several workers merged: each sample has its worker, and a bucket keeps the trace of its last call."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from bossjy_server.workers.metrics import merged

TRACE = "0af7651916cd43dd8448eb211c80319c"


def text_of(trace_id: str) -> str:
    """The answer of a worker with one traced call."""
    registry = CollectorRegistry()
    Counter("bossjy_calls", "Calls.", registry=registry).inc(2)
    seconds = Histogram("bossjy_seconds", "Times.", registry=registry, buckets=(0.1, 1))
    seconds.observe(0.5, {"trace_id": trace_id})
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def test_samples_name_their_worker_and_keep_their_exemplars() -> None:
    families = {one.name: one for one in merged({2: text_of("ab" * 16), 1: text_of(TRACE)})}
    calls = [sample for sample in families["bossjy_calls"].samples if sample.name == "bossjy_calls_total"]
    assert [(sample.labels["worker"], sample.value) for sample in calls] == [("1", 2), ("2", 2)]
    traces = {
        sample.labels["worker"]: sample.exemplar.labels["trace_id"]
        for sample in families["bossjy_seconds"].samples
        if sample.exemplar is not None
    }
    assert traces == {"1": TRACE, "2": "ab" * 16}


def test_a_worker_that_does_not_answer_is_left_out() -> None:
    assert {sample.labels["worker"] for one in merged({1: text_of(TRACE), 2: ""}) for sample in one.samples} == {"1"}
