"""End of background tasks: cancelled until they have ended, because a cancellation can be lost.

A library that catches CancelledError for a timeout of its own can lose a cancellation that comes at the same moment
(several do before Python 3.12). The task then runs on, and a plain `await task` never returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

_LOG = logging.getLogger(__name__)

# Longer than a rollback takes: a second cancellation would interrupt the cleanup of a task that heard the first one.
_AGAIN_S = 5.0


async def end_tasks(tasks: Iterable[asyncio.Future[Any]], *, again_s: float = _AGAIN_S) -> None:
    """Cancel tasks and wait until all have ended. Their results and failures are dropped; failures are logged.

    A task that still runs after `again_s` seconds is cancelled again.
    """
    pending = set(tasks)
    ended = set[asyncio.Future[Any]]()
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=again_s)
        ended |= done
    for task in ended:
        if not task.cancelled() and (failure := task.exception()) is not None:
            _LOG.debug("a task had failed before its end", exc_info=failure)


async def end_task(task: asyncio.Future[Any], *, again_s: float = 1.0) -> None:
    """The same for a loop in the background, which has nothing to clean up."""
    await end_tasks([task], again_s=again_s)
