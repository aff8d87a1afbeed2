"""Blocking work beside the event loop: files, tables, the wait for a process. Never on asyncio's default executor.

The default executor is one queue for all: a feature that fills it holds up every other one. Work of callers that can
be long or frequent has threads of its own (`phone/threads.py`, `imports/servicer.py`, `auth/passwords.py`).
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_THREADS = 4
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="bossjy-blocking")


async def in_thread(function: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
    """The result of a function that blocks, run by a thread, with the context variables of the caller."""
    work = partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, work)
