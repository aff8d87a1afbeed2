"""Deadline of a call on the native front end: it cancels the handler, and the cancellation becomes a status."""

from __future__ import annotations

import asyncio

from bossjy_server.errors import DeadlineExceeded, Reason
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.errors import status_of


class _Alarm:
    __slots__ = ("rang", "task")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task, self.rang = task, False

    def ring(self) -> None:
        self.rang = True
        self.task.cancel()


async def within_deadline(proceed: Proceed, call: Call) -> None:
    """Run the chain; at the deadline of the call, cancel it. Any other cancellation is raised."""
    if call.context.deadline is None:
        await proceed(call)
        return
    task = asyncio.current_task()
    if task is None:
        raise LookupError("a call runs in a task")
    alarm = _Alarm(task)
    timer = asyncio.get_running_loop().call_later(call.context.deadline - call.started, alarm.ring)
    try:
        await proceed(call)
    except asyncio.CancelledError:
        if not alarm.rang or task.uncancel() > 0:
            raise  # the client has left, or the server ends
        text = "the call did not end within its deadline: allow more time, or ask for less"
        call.status = status_of(DeadlineExceeded(Reason.DEADLINE_EXCEEDED, text), call.context.request_id)
    finally:
        timer.cancel()
    if alarm.rang and task.cancelling():
        task.uncancel()  # the chain ended as the alarm rang
