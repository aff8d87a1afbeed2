"""Rate limit of once per period and name: a write per call of a flood becomes one write a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from bossjy_server.bounded import BoundedMap


class OncePer:
    """Once in `every_s` for each name, for at most `names_max` names in that time. Each process has its own."""

    def __init__(
        self, every_s: float = 60.0, names_max: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s, self._names_max, self._clock = every_s, names_max, clock
        self._until = BoundedMap[str, float](names_max)

    def due(self, name: str) -> bool:
        """True if it is time; then false until `every_s` has passed."""
        now = self._clock()
        self._until.forget_while(lambda until: until <= now)
        if name in self._until or len(self._until) >= self._names_max:
            return False
        self._until.keep(name, now + self._every_s)
        return True
