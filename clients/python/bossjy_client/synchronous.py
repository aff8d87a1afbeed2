"""Client for programs without asyncio: the methods of AsyncClient, which wait for their results.

Nothing is written twice: each method runs the asynchronous one in a thread (`background.py`). `clients.pyi` has the
types; `make generate` makes it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from bossjy_client import background
from bossjy_client.background import Background, Results
from bossjy_client.call_options import NAMES
from bossjy_client.client import PARTS, AsyncClient
from bossjy_client.errors import BossjyError


class SyncClient:
    """BossJy for scripts, web frameworks, workers of queues and notebooks. Made by `connect`, closed by `close`.

    with SyncClient.connect("127.0.0.1:18001", token=key) as client:
        answer = client.phone.validate("138 0000 0000", "CN", timeout=5)

    It may be used by several threads at once, also inside a running event loop, which then waits. After a fork, connect
    in each process. Iterators fetch some results ahead. Callbacks such as `on_progress` run in the client's thread.
    """

    def __init__(self, client: AsyncClient, held: Background) -> None:
        self._client = client
        self._background = held
        self._process = os.getpid()
        self._closed = False
        self._abandoned = weakref.finalize(self, _abandon, client, held, self._process)
        self._abandoned.atexit = False
        for name in PARTS:
            setattr(self, name, _Part(getattr(client, name), self._run, self._iterate))

    @classmethod
    def connect(cls, target: str, **options: Any) -> Self:
        """Connect to `target`; the options are those of `AsyncClient.connect`."""
        held = background.BACKGROUND
        held.enter()
        try:
            return cls(held.run(AsyncClient.connect(target, **options)), held)
        except BaseException:
            held.leave()
            raise

    def __getattr__(self, name: str) -> Any:
        """The methods of the client itself, such as `use_session`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return _attribute(getattr(self._client, name), self._run, self._iterate)

    def _run(self, call: Callable[[], Any]) -> Any:
        self._check()
        return self._background.run(call())

    def _iterate(self, items: Callable[[], AsyncIterator[Any]]) -> Results[Any]:
        self._check()
        return Results(self._background, items)

    def _check(self) -> None:
        if self._process != os.getpid():
            raise BossjyError(
                "the client was connected before this process was forked: connect after the fork, in each process "
                "(Celery: at the signal worker_process_init)"
            )
        if self._closed:
            raise BossjyError("the client is closed: connect a new one")

    def close(self) -> None:
        """Close the connection. The session continues; `auth.logout` ends it."""
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        self._abandoned.detach()
        try:
            self._background.run(self._client.close())
        finally:
            self._background.leave()

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def _abandon(client: AsyncClient, held: Background, process: int) -> None:
    """Close a client that its program has dropped."""
    if process == os.getpid():
        with suppress(RuntimeError, BossjyError):
            asyncio.run_coroutine_threadsafe(client.close(), held.loop())
        held.leave()


Run = Callable[[Callable[[], Any]], Any]
Iterate = Callable[[Callable[[], AsyncIterator[Any]]], Results[Any]]


class _Part:
    """The synchronous form of a part of the client, such as `phone`."""

    def __init__(self, part: Any, run: Run, iterate: Iterate) -> None:
        self._part = part
        self._run = run
        self._iterate = iterate
        self.__doc__ = part.__doc__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        made = _attribute(getattr(self._part, name), self._run, self._iterate)
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._part) if not name.startswith("_")]


def _attribute(value: Any, run: Run, iterate: Iterate) -> Any:
    """A method that waits for the result of an asynchronous one; any other value unchanged."""
    if inspect.isasyncgenfunction(value):
        signature = inspect.signature(value)
        taken = [one.name for one in signature.parameters.values() if str(one.annotation).startswith("AsyncIterator")]

        @functools.wraps(value)
        def iterator(*args: Any, **options: Any) -> Results[Any]:
            own = {name: options.pop(name) for name in NAMES if name in options and name not in signature.parameters}
            given = signature.bind(*args, **options)
            for name in taken:
                given.arguments[name] = _each(given.arguments[name])
            return iterate(lambda: value(*given.args, **given.kwargs, **own))

        return iterator
    if inspect.iscoroutinefunction(value):

        @functools.wraps(value)
        def method(*args: Any, **options: Any) -> Any:
            return run(lambda: value(*args, **options))

        return method
    return value


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    """An iterable as an asynchronous iterator, whose items are fetched in another thread."""
    iterator, end = iter(items), object()
    while (item := await asyncio.to_thread(next, iterator, end)) is not end:
        yield item
