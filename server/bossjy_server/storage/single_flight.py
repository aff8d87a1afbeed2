"""Of several that want the same thing at the same time, one fetches it and the others wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from bossjy_server.errors import DeadlineExceeded

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[K, T]):
    """Work that runs now, by name, in one event loop. It goes on when the one that began it is cancelled."""

    def __init__(self) -> None:
        self.joined = 0  # how many waited for another's work
        self._running: dict[K, asyncio.Task[T]] = {}

    async def run(self, name: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, or of the work of that name which runs already. Raises what it raises."""
        while (task := self._running.get(name)) is not None:
            self.joined += 1
            try:
                return await asyncio.shield(task)
            except DeadlineExceeded:
                continue  # that was the other's deadline: the first who comes here begins anew
        task = asyncio.create_task(work())
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(task)
