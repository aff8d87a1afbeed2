"""A bound on log lines of refused calls: so many for each client network a minute, then one summary with counts.

So a client without credentials cannot fill the log and make its older files go. Calls that succeed for a known caller
are not counted here: each has its line.
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
    """Decides which refused calls have a line, for one event loop. `per_minute` 0: all have one."""

    def __init__(self, log: Log, per_minute: int = 60, window_s: float = _WINDOW_S) -> None:
        self._log, self._per_minute, self._window_s = log, per_minute, window_s
        self._lines_most = _NETWORKS_WITH_LINES * per_minute
        self._lines: Counter[tuple[str, int]] = Counter()  # under '' those of all networks
        self._counts: dict[tuple[str, int], Counter[str]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def has_line(self, network: str, level: int, reason: str) -> bool:
        """Whether a call from that network has a line of its own; if not, it is counted under `reason`.

        Faults of the service (level warning) are counted apart from what callers do wrong.
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
        """Write the summaries of the minute and begin another. Called by a timer, and at the end of the server."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        counts, self._counts = self._counts, {}
        self._lines.clear()
        for (network, level), reasons in counts.items():
            shown = dict(reasons.most_common(_REASONS_SHOWN))
            fields = {"address": network, "count": reasons.total(), "within_s": int(self._window_s), "reasons": shown}
            self._log.write(level, "calls summarised", fields)
