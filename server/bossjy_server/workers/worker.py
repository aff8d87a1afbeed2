"""Program of a worker: `python -m bossjy_server.workers.worker`, started only by `process.py`.

Standard input: its number and settings (a pickle, from the parent), then a line for each query. Standard output: one
line of JSON when it is ready or failed, then one for each answer. It ends on SIGTERM and when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bossjy_server.blocking import in_thread
from bossjy_server.config import Settings
from bossjy_server.errors import StartError
from bossjy_server.loop import no_end_by_hangup, run

if TYPE_CHECKING:
    from bossjy_server.app import Running


def main() -> int:
    """Serve until told to stop. Returns 2 if it could not start."""
    no_end_by_hangup()
    number, settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    try:
        run(_work(number, settings))
    except StartError as error:
        _say({"error": str(error)})
        return 2
    return 0


async def _work(number: int, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    from bossjy_server.app import running  # noqa: PLC0415 - takes a second; no signal may end the process meanwhile

    async with running(settings, worker=number) as served:
        loop.add_signal_handler(signal.SIGUSR1, served.log.switch)
        reloading = asyncio.create_task(served.reload_when(hangup))
        questions = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        await in_thread(_say, {"serving": served.address})
        answering = asyncio.create_task(_answer(questions, served, stop))
        await stop.wait()
        answering.cancel()
        reloading.cancel()


async def _answer(questions: asyncio.StreamReader, served: Running, stop: asyncio.Event) -> None:
    while question := await questions.readline():
        # In a thread: the text is long, and the parent may be slow to read it.
        await in_thread(_say_page, served, question.decode().strip())
    stop.set()  # the parent is gone


def _say_page(served: Running, path: str) -> None:
    """Answer with the metrics, or with a page of the operations port."""
    if path == "/metrics":
        _say({"body": served.metrics_text()})
    else:
        _say(asdict(served.pages[path]()))


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - the answer to the parent


if __name__ == "__main__":
    sys.exit(main())
