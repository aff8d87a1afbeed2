"""Blocking work outside the event loop: files, tables, waiting for a process. Never on asyncio's default executor.

The default executor is one queue for all: a feature that fills it delays every other one. Work of callers that can be
long or frequent has its own threads (`phone/threads.py`, `imports/servicer.py`, `auth/password/passwords.py`).
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
    """The result of a blocking function, run by a thread with the caller's context variables."""
    work = partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, work)
