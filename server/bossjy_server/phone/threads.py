"""Thread pool for work that would block the event loop: fair by tenant and call, in slices of a few milliseconds.

A job is a generator (`bossjy_numbering.Steps`). A thread runs it for a slice and puts it back, so that a batch of ten
numbers does not wait for a stream of millions. The work of a cancelled call ends with its slice.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from concurrent.futures import Future, InvalidStateError
from typing import Any, TypeVar

from bossjy_numbering import Steps
from bossjy_server.context import call_or_none
from bossjy_server.errors import Reason, ResourceExhausted
from bossjy_server.phone.fair_queue import FairQueue
from bossjy_server.phone.options import ThreadOptions

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# Longest slice of a job, except for a longer step.
_SLICE_S = 0.002
# A short job that used more than this counts as a long one.
_SHORT_S = 0.01


class _Job:
    """Steps, and the destination of their result. `most_s`: CPU time that it may use."""

    __slots__ = ("future", "most_s", "steps", "used_s")

    def __init__(self, steps: Steps[Any], most_s: float) -> None:
        self.steps, self.most_s, self.used_s = steps, most_s, 0.0
        self.future: Future[Any] = Future()

    def run_slice(self) -> tuple[float, bool]:
        """CPU time of a slice, and true if the job has ended."""
        begun_s, until = time.thread_time(), time.monotonic() + _SLICE_S
        ended = self._run(until)
        used_s = time.thread_time() - begun_s
        self.used_s += used_s
        if not ended and self.used_s > self.most_s:
            self.steps.close()
            self._settle(None, _costly(self.most_s))
            ended = True
        return used_s, ended

    def _run(self, until: float) -> bool:
        if self.future.cancelled():
            self.steps.close()
            return True
        try:
            next(self.steps)
            while time.monotonic() < until:
                next(self.steps)
        except StopIteration as end:
            self._settle(end.value, None)
        except BaseException as error:  # noqa: BLE001 - raised again to the awaiting caller
            self._settle(None, error)
        else:
            return False
        return True

    def _settle(self, result: Any, error: BaseException | None) -> None:
        try:
            if error is None:
                self.future.set_result(result)
            else:
                self.future.set_exception(error)
        except InvalidStateError:
            pass  # cancelled in the meantime


class _Lane:
    """Threads that share a fair queue."""

    def __init__(self, threads: int, name: str, demoted: Callable[[str, Hashable, _Job], None] | None = None) -> None:
        """`demoted` takes jobs that used more than a short job may."""
        self._queue: FairQueue[_Job] = FairQueue()
        self._changed = threading.Condition()
        self._demoted = demoted
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def add(self, tenant: str, call: Hashable, job: _Job) -> None:
        with self._changed:
            self._queue.add(tenant, call, job)
            self._changed.notify()

    def close(self) -> None:
        """Wait for the running slices, drop the waiting jobs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        while taken := self._queue.take():
            taken[2].future.cancel()

    def _work(self) -> None:
        while taken := self._take():
            tenant, call, job = taken
            used_s, ended = job.run_slice()
            demoted = self._demoted if not ended and job.used_s > _SHORT_S else None
            with self._changed:
                if ended or demoted:
                    self._queue.ended(tenant, call, used_s)
                else:
                    self._queue.again(tenant, call, job, used_s)
            if demoted:
                demoted(tenant, call, job)
            del taken, job, demoted  # their objects would live until the next job

    def _take(self) -> tuple[str, Hashable, _Job] | None:
        with self._changed:
            while not self._closed:
                if taken := self._queue.take():
                    return taken
                self._changed.wait()
        return None


class Threads:
    """Threads for long jobs, and one for those that are expected to be short. Close them at the end."""

    def __init__(self, options: ThreadOptions) -> None:
        self._options = options
        self._long = _Lane(options.threads, "phone")
        self._short = _Lane(1, "phone-short", self._long.add)

    def close(self) -> None:
        """Wait for the running slices, drop the waiting jobs."""
        self._short.close()
        self._long.close()

    async def run(self, steps: Steps[Answer], *, short: bool = False, bounded: bool = False) -> Answer:
        """One answer. `short`: expected within some milliseconds. `bounded`: it may use `call_s` at most.

        Raises ResourceExhausted(WORK_LIMIT) beyond it.
        """
        job = _Job(steps, self._options.call_s if bounded else float("inf"))
        (self._short if short else self._long).add(_tenant(), job, job)
        answer: Answer = await asyncio.wrap_future(job.future)
        return answer

    async def in_order(
        self, requests: AsyncIterator[Asked], function: Callable[[Asked], Steps[Answer]]
    ) -> AsyncGenerator[Answer]:
        """The answers of a stream of requests, in their order. Several are processed at once.

        The error of a request, or of its answer, is raised after the consumer has received the answers before it.
        """
        slots = asyncio.Semaphore(self._options.ahead)
        running: asyncio.Queue[asyncio.Future[Answer] | None] = asyncio.Queue()
        tenant = _tenant()

        async def read() -> None:
            try:
                await slots.acquire()
                async for request in requests:
                    job = _Job(function(request), float("inf"))
                    self._long.add(tenant, slots, job)
                    running.put_nowait(asyncio.wrap_future(job.future))
                    await slots.acquire()
            finally:
                running.put_nowait(None)

        reader = asyncio.create_task(read())
        try:
            while (one := await running.get()) is not None:
                try:
                    yield await one
                finally:
                    one.cancel()  # left before the end: the job ends with its slice
                slots.release()
            await reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            while not running.empty():
                if (left := running.get_nowait()) is not None:
                    left.cancel()


def _tenant() -> str:
    call = call_or_none()
    return call.caller.tenant_id if call and call.caller else ""


def _costly(most_s: float) -> ResourceExhausted:
    return ResourceExhausted(
        Reason.WORK_LIMIT,
        f"the text needs more than {most_s:g} s of work: send it in shorter pieces",
        metadata={"limit_s": f"{most_s:g}"},
    )
