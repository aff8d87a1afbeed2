"""A worker process for its parent: start, metrics, end.

Parent and worker communicate over the worker's standard input and output, so nothing listens and nothing is left over:
when the parent is gone, for any reason, the input ends and the worker drains.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import signal
import sys
from contextlib import suppress
from typing import Any

from bossjy_server.config import Settings
from bossjy_server.errors import StartError
from bossjy_server.telemetry.text_pages import Page

# The first start on a machine compiles the tables of the plan.
_START_S = 120.0
_ANSWER_S = 2.0
_LONGEST_LINE = 32 * 1024 * 1024


class WorkerProcess:
    """A running worker. `number` names it in logs and metrics."""

    def __init__(self, number: int, process: asyncio.subprocess.Process) -> None:
        self.number = number
        self._process = process
        self._asking = asyncio.Lock()

    @classmethod
    async def start(cls, number: int, settings: Settings) -> WorkerProcess:
        """Start a worker and wait until it listens. Raises StartError with the worker's own line."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bossjy_server.workers.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            # A Ctrl-C in the terminal must reach only the parent: it ends the workers in its order.
            start_new_session=True,
        )
        worker = cls(number, process)
        try:
            # Through the pipe, not the environment: the URLs contain passwords, and /proc shows an environment.
            worker._write(pickle.dumps((number, settings)))
            start_s = _START_S + settings.database.start_wait_s
            told = await asyncio.wait_for(worker._line(), start_s)
        except (OSError, TimeoutError) as error:
            await worker.end(0)
            raise StartError(f"worker {number} did not start in time: see its log") from error
        except BaseException:
            await worker.end(0)
            raise
        if "error" in told:
            await process.wait()
            raise StartError(str(told["error"]))
        return worker

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end. Returns the exit code, negative for a signal."""
        return await self._process.wait()

    async def metrics(self) -> str:
        """The text of a metrics endpoint of its own; '' if it does not answer in time."""
        page = await self.page("/metrics")
        return "" if page is None else page.body

    async def page(self, path: str) -> Page | None:
        """A page of its operations port; None if it does not answer in time."""
        async with self._asking:
            if self._process.returncode is not None:
                return None
            with suppress(OSError, TimeoutError):
                self._write(f"{path}\n".encode())
                async with asyncio.timeout(_ANSWER_S):
                    told: dict[str, Any] = await self._line()
                    return None if "error" in told else Page(**told)
        return None

    async def end(self, wait_s: float) -> None:
        """Let it drain for `wait_s`, then kill it."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), wait_s)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _write(self, data: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(data)

    async def _line(self) -> dict[str, object]:
        if self._process.stdout is None:
            return {"error": "it has no output"}
        line = await self._process.stdout.readline()
        if not line:
            return {"error": f"worker {self.number} ended at its start: see its log and what it wrote to the console"}
        told: dict[str, object] = json.loads(line)
        return told
