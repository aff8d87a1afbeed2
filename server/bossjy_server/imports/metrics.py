"""Metrics of imports."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from bossjy_server.imports.records import Counts


class ImportMetrics:
    """Metrics of imports, in `registry`."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        rows = Counter(
            "bossjy_import_rows", "Committed rows, by outcome: accepted or rejected.", ["outcome"], registry=registry
        )
        self._accepted, self._rejected = rows.labels("accepted"), rows.labels("rejected")

    def count(self, before: Counts, after: Counts) -> None:
        """Count the rows of a part's committed block: once a block, on any stream or server."""
        rejected = after.rejected - before.rejected
        self._rejected.inc(rejected)
        self._accepted.inc(after.rows_in - before.rows_in - rejected)
