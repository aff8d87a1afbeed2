"""Threads for what takes longer than the event loop can wait. What they do is mostly NumPy, which lets others run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class ThreadOptions:
    """Limits of the threads, for all calls together and for one stream."""

    threads: int = 2
    # Messages of one stream that are read, answered or waiting to be sent.
    ahead: int = 3


class Threads:
    """A pool of threads. Close it at the end."""

    def __init__(self, options: ThreadOptions) -> None:
        self._ahead = options.ahead
        self._pool = ThreadPoolExecutor(options.threads, thread_name_prefix="phone")

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._pool.shutdown(cancel_futures=True)

    async def run(self, function: Callable[[Asked], Answer], asked: Asked) -> Answer:
        """One answer."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, asked)

    async def in_order(
        self, requests: AsyncIterator[Asked], function: Callable[[Asked], Answer]
    ) -> AsyncGenerator[Answer]:
        """The answers of a stream of requests, in their order. Several are worked on at once.

        What a request raises, or its answer, is raised when the answers before it have been taken.
        """
        loop, slots = asyncio.get_running_loop(), asyncio.Semaphore(self._ahead)
        running: asyncio.Queue[asyncio.Future[Answer] | None] = asyncio.Queue()

        async def read() -> None:
            try:
                await slots.acquire()
                async for request in requests:
                    running.put_nowait(loop.run_in_executor(self._pool, function, request))
                    await slots.acquire()
            finally:
                running.put_nowait(None)

        reader = asyncio.create_task(read())
        try:
            while (one := await running.get()) is not None:
                yield await one
                slots.release()
            await reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            while not running.empty():
                if (left := running.get_nowait()) is not None:
                    left.cancel()
