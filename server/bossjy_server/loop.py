"""Event loop of the server's processes: libuv's."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

import uvloop

_T = TypeVar("_T")


def no_end_by_hangup() -> None:
    """Keep SIGHUP from ending this process before its own handler is set. Programs that it starts have the default."""
    with suppress(ValueError):  # a test in a thread
        signal.signal(signal.SIGHUP, _ignore)
        signal.signal(signal.SIGUSR1, _ignore)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. A function, because a program inherits an ignored signal, but no handler."""


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` to its end, as asyncio.run does.

    A call through gRPC takes a third fewer instructions than on asyncio's own loop (320,000 instead of 490,000, counted
    with a minimal echo service).
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
