"""Limit of log lines of refused calls: a number per client network and minute, then one summary with counts.

So a client without credentials cannot flood the log and push out older files. Successful calls of a known caller do not
count here: each has its line.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from bossjy_server.telemetry.logging import Log

_WINDOW_S = 60.0
# Of all networks together, in one process: lines, as a multiple of those of one network, and summaries.
_NETWORKS_WITH_LINES, _NETWORKS_COUNTED = 10, 100
_REASONS_SHOWN = 8
_OTHERS = "others"


class Refusals:
    """Decides which refused calls get a log line, for one event loop. If `per_minute` is 0, all do."""

    def __init__(self, log: Log, per_minute: int = 60, window_s: float = _WINDOW_S) -> None:
        self._log, self._per_minute, self._window_s = log, per_minute, window_s
        self._lines_most = _NETWORKS_WITH_LINES * per_minute
        self._lines: Counter[tuple[str, int]] = Counter()  # the key '' counts all networks
        self._counts: dict[tuple[str, int], Counter[str]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def has_line(self, network: str, level: int, reason: str) -> bool:
        """True if a call from that network gets its own line; if not, it is counted under `reason`.

        Faults of the service (level warning) are counted apart from errors of callers.
        """
        if not self._per_minute:
            return True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._window_s, self.summarise)
        subject = (network, level)
        if self._lines[subject] < self._per_minute and self._lines["", level] < self._lines_most:
            self._lines[subject] += 1
            self._lines["", level] += 1
            return True
        if subject not in self._counts and len(self._counts) >= _NETWORKS_COUNTED:
            subject = (_OTHERS, level)
        self._counts.setdefault(subject, Counter())[reason] += 1
        return False

    def summarise(self) -> None:
        """Write the summaries of the minute and begin another. Called by a timer, and when the server ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        counts, self._counts = self._counts, {}
        self._lines.clear()
        for (network, level), reasons in counts.items():
            shown = dict(reasons.most_common(_REASONS_SHOWN))
            fields = {"address": network, "count": reasons.total(), "within_s": int(self._window_s), "reasons": shown}
            self._log.write(level, "calls summarised", fields)
