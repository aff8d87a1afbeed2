"""Deduplication of concurrent work: of several tasks that need the same result, one fetches it and the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from bossjy_server.errors import DeadlineExceeded

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[K, T]):
    """Running work by name, in one event loop. It continues if the task that began it is cancelled."""

    def __init__(self) -> None:
        self.joined = 0  # number of tasks that waited for another's work
        self._running: dict[K, asyncio.Task[T]] = {}

    async def run(self, name: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, or of running work with that name. Raises the errors of the work."""
        while (task := self._running.get(name)) is not None:
            self.joined += 1
            try:
                return await asyncio.shield(task)
            except DeadlineExceeded:
                continue  # that was the other's deadline: the first task here begins anew
        task = asyncio.create_task(work())
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(task)
