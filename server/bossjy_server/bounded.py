"""Bounded map: a dict that forgets its oldest entries beyond a limit, and those that have expired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(dict[K, V], Generic[K, V]):
    """At most `limit` entries, in the order in which they were kept. Reads cost the same as those of a dict."""

    __slots__ = ("_limit",)

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, key: K, value: V) -> None:
        """Store an entry as the newest. Beyond the limit, the oldest entries are forgotten."""
        self.pop(key, None)
        while len(self) >= self._limit and self:
            self.forget_oldest()
        self[key] = value

    def forget_oldest(self) -> None:
        """Remove the oldest entry. Raises StopIteration if there is none."""
        del self[next(iter(self))]

    def forget_while(self, expired: Callable[[V], bool]) -> None:
        """Remove the oldest entries up to the first that has not expired."""
        while self and expired(self[next(iter(self))]):
            self.forget_oldest()


class LookUps:
    """Counts of look-ups in a cache of this process. Plain numbers, because a look-up is part of every call."""

    __slots__ = ("hits", "misses", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.hits = self.misses = 0
