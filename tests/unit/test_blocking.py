from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from bossjy_server.blocking import in_thread

variable: ContextVar[int] = ContextVar("variable", default=0)


async def test_a_thread_of_its_own_with_the_context_of_the_caller() -> None:
    variable.set(7)

    def work(add: int, *, more: int) -> tuple[int, str]:
        return variable.get() + add + more, threading.current_thread().name

    value, thread = await in_thread(work, 1, more=2)
    assert value == 10
    assert thread.startswith("bossjy-blocking")


async def test_what_it_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 1, 0)


async def test_its_threads_are_bounded() -> None:
    names = await asyncio.gather(*(in_thread(lambda: threading.current_thread().name) for _ in range(50)))
    assert len(set(names)) <= 4
