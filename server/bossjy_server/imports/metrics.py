"""Metrics of imports."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from bossjy_server.imports.records import Counts


class ImportMetrics:
    """Metrics of imports, in `registry`."""

    def __init__(self, registry: CollectorRegistry | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pending: dict[object, float] = {}  # by stream with blocks to commit: the time of its last progress
        self._uploads = Gauge("bossjy_import_uploads", "Open upload streams.", registry=registry)
        stalled = Gauge(
            "bossjy_import_stalled_seconds",
            "Longest time without a commit of an upload stream that has rows to commit; 0 if there is none.",
            registry=registry,
        )
        stalled.set_function(self._stalled_s)
        seconds = Counter(
            "bossjy_import_stage_seconds", "Time of blocks in a stage: clean or commit.", ["stage"], registry=registry
        )
        self.cleaning, self.committing = seconds.labels("clean"), seconds.labels("commit")
        rows = Counter(
            "bossjy_import_rows", "Committed rows, by outcome: accepted or rejected.", ["outcome"], registry=registry
        )
        self._accepted, self._rejected = rows.labels("accepted"), rows.labels("rejected")

    def count(self, before: Counts, after: Counts) -> None:
        """Count the rows of a part's committed block: once a block, on any stream or server."""
        rejected = after.rejected - before.rejected
        self._rejected.inc(rejected)
        self._accepted.inc(after.rows_in - before.rows_in - rejected)

    def opened(self) -> None:
        """Count an upload stream that opens."""
        self._uploads.inc()

    def ended(self, stream: object) -> None:
        """Count an upload stream that ends."""
        self._uploads.dec()
        self._pending.pop(stream, None)

    def progressed(self, stream: object, pending: int) -> None:
        """Note that a stream got a block to commit, or committed one; `pending`: its blocks to commit now."""
        if pending:
            self._pending[stream] = self._clock()
        else:
            self._pending.pop(stream, None)

    def _stalled_s(self) -> float:
        since = list(self._pending.values())
        return self._clock() - min(since) if since else 0.0
