"""End of background tasks: also of one that loses a cancellation."""

from __future__ import annotations

import asyncio

from bossjy_server.tasks import end_task, end_tasks


async def losing(times: int) -> None:
    """Runs until it is cancelled once more than `times`."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def test_a_lost_cancellation_is_repeated() -> None:
    tasks = [asyncio.create_task(losing(times)) for times in (0, 1, 3)]
    await asyncio.sleep(0)
    await end_tasks(tasks, again_s=0.05)
    assert all(task.cancelled() for task in tasks)


async def test_a_slow_cleanup_is_not_interrupted() -> None:
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.1)
            cleaned.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert cleaned.is_set()


async def test_a_task_that_failed_or_ended_is_no_fault() -> None:
    async def fail() -> None:
        raise OSError("lost")

    tasks = [asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(0.01)
    await end_tasks(tasks)
    await end_task(asyncio.create_task(losing(0)))
    await end_tasks([])
