"""The event loop that the server's processes run on: libuv's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

_T = TypeVar("_T")


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` to its end, as asyncio.run does.

    A third fewer instructions for each call through gRPC than on asyncio's own loop (320,000 in place of 490,000,
    counted at an echo that does nothing else).
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
