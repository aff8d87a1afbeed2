"""Thread pool of imports, shared fairly: each tenant has its turn, however many uploads it has open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bossjy_server.context import remaining_s
from bossjy_server.errors import Reason, ResourceExhausted
from bossjy_server.storage.shares import NoShare, Shares

Made = TypeVar("Made")

# Longest wait for a thread. One piece of work takes less than a second, and each tenant that waits has one turn.
WAIT_S = 60.0


class NoThread(ResourceExhausted):
    """No thread became free in time. This error is independent of the file."""


def no_thread() -> NoThread:
    """The error for a caller that has waited in vain."""
    text = "the server is busy with other imports: call again after the stated delay"
    return NoThread(Reason.OVERLOADED, text, retry_after_s=1.0)


class ImportThreads:
    """A pool of threads that split and clean, for all uploads of the process. Close it at the end."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bossjy-import")
        # A tenant may use all threads if no other tenant waits: pieces are short.
        self._turns = Shares(threads, 1.0)

    async def run(self, tenant_id: str, work: Callable[[], Made]) -> Made:
        """The result of `work`, done in a thread when the tenant has its turn. Raises NoThread."""
        try:
            await self._turns.enter(tenant_id, remaining_s(WAIT_S))
        except NoShare:
            raise no_thread() from None
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        running.add_done_callback(partial(self._done, tenant_id))
        return await asyncio.shield(running)  # a thread cannot be cancelled: the turn ends with the work

    def _done(self, tenant_id: str, done: asyncio.Future[Made]) -> None:
        self._turns.leave(tenant_id)
        if not done.cancelled():
            done.exception()  # the call can have been cancelled: nobody else asks for it then

    def close(self) -> None:
        """End the threads; drop the waiting work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
