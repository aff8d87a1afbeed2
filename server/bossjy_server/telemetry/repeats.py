"""Limit on repeated log lines: a number per kind and minute, and the count of omitted ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

_WINDOW_S = 60.0


class Repeats:
    """At most `most` lines of one kind in a minute, of at most `kinds_max` kinds. Thread-safe."""

    def __init__(self, most: int, kinds_max: int = 200, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._kinds_max, self._clock = most, kinds_max, clock
        self._lock = threading.Lock()
        self._kinds: dict[Hashable, list[float]] = {}  # kind to the end of its minute and its lines in it

    def admit(self, kind: Hashable) -> int | None:
        """None if the line exceeds the limit; else the number of omitted lines of its kind before it."""
        now = self._clock()
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= self._kinds_max:
                self._forget(now)
                # All other kinds share the limit of one kind.
                kind = kind if len(self._kinds) < self._kinds_max else None
            ends, lines = self._kinds.get(kind, (now + _WINDOW_S, 0))
            left_out = 0
            if ends <= now:
                ends, left_out, lines = now + _WINDOW_S, max(0, int(lines) - self._most), 0
            self._kinds[kind] = [ends, lines + 1]
        return left_out if lines < self._most else None

    def _forget(self, now: float) -> None:
        """Drop the expired kinds. Their counts of omitted lines are lost with them."""
        self._kinds = {kind: one for kind, one in self._kinds.items() if one[0] > now}
