"""What imports tell of themselves."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from bossjy_server.imports.records import Counts

_OUTCOMES = ("inserted", "updated", "unchanged", "duplicate", "rejected")


class ImportMetrics:
    """Metrics of imports, in `registry`."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        rows = Counter("bossjy_import_rows", "Rows committed, by what they came to.", ["outcome"], registry=registry)
        self._rows = {outcome: rows.labels(outcome) for outcome in _OUTCOMES}

    def count(self, before: Counts, after: Counts) -> None:
        """Count what a part's committed block added: once a block, whichever stream or server takes the next."""
        for outcome, rows in self._rows.items():
            rows.inc(getattr(after, outcome) - getattr(before, outcome))
