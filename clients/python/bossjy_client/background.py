"""Event loop in a thread of its own, which runs the asynchronous client for synchronous callers.

One thread serves all synchronous clients of a process. It starts with the first and ends with the last.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from bossjy_client.errors import BossjyError

T = TypeVar("T")

# Results that are fetched before the caller asks for them: batches, and the items and bytes of one. Each batch costs a
# switch between threads.
_AHEAD, _ITEMS, _BYTES = 4, 256, 1024 * 1024
# Time for running calls to end when the loop stops.
_STOP_S = 5.0


class Background:
    """The loop and its users."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the collector may call `leave` at any time
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def enter(self) -> None:
        """Count a user; the first one starts the thread."""
        with self._lock:
            self._users += 1
            if self._thread is None:
                started = threading.Event()
                self._thread = threading.Thread(target=self._serve, args=(started,), name="bossjy", daemon=True)
                self._thread.start()
                started.wait()

    def leave(self) -> None:
        """Count a user less; after the last one the thread ends."""
        with self._lock:
            self._users -= 1
            thread, loop = self._thread, self._loop
            if self._users or thread is None or loop is None:
                return
            self._thread = self._loop = None
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(_STOP_S)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine in the loop. Raises what it raises; Ctrl-C cancels it."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self.loop())
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise BossjyError("the client was closed during the call") from None
        except BaseException:
            future.cancel()
            raise

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop. Raises BossjyError if it does not run, or the caller is in it."""
        if self._loop is None:
            raise BossjyError("the client is closed: connect a new one")
        if threading.current_thread() is self._thread:
            raise BossjyError("a callback of the client cannot wait for it: call from another thread")
        return self._loop

    def _serve(self, started: threading.Event) -> None:
        with asyncio.Runner() as runner:  # its end cancels all tasks
            loop = self._loop = runner.get_loop()
            loop.call_soon(started.set)
            loop.run_forever()


class Results(Generic[T]):
    """Iterator over the items of an asynchronous one. The loop fetches some of them ahead; `close` ends it."""

    def __init__(self, background: Background, items: Callable[[], AsyncIterator[T]]) -> None:
        self._background = background
        self._items = items
        self._held: Iterator[T] = iter(())
        self._queue: queue.SimpleQueue[list[T] | BaseException | None] = queue.SimpleQueue()
        self._pump: concurrent.futures.Future[None] | None = None
        self._free: asyncio.Event | None = None
        self._batch: list[T] = []
        self._put = self._taken = 0
        self._ended = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        while not self._ended:
            for item in self._held:
                return item
            batch = self._next_batch()
            if isinstance(batch, list):
                self._held = iter(batch)
                continue
            self._ended = True
            if batch is not None:
                raise batch
        raise StopIteration

    def _next_batch(self) -> list[T] | BaseException | None:
        """The next items; an error, or None at the end."""
        if self._pump is None:
            self._pump = asyncio.run_coroutine_threadsafe(self._run(), self._background.loop())
            self._pump.add_done_callback(lambda _: self._queue.put(_closed()))
        try:
            batch = self._queue.get()
        except BaseException:
            self.close()
            raise
        self._taken += 1
        if self._free is not None:
            with suppress(RuntimeError, BossjyError):  # the loop has ended
                self._background.loop().call_soon_threadsafe(self._free.set)
        return batch

    async def _run(self) -> None:
        self._free = asyncio.Event()
        items, size = self._items(), 0
        try:
            async for item in items:
                if not self._batch:
                    # Runs when the iterator waits for more: no item is held back.
                    asyncio.get_running_loop().call_soon(self._flush)
                    size = 0
                self._batch.append(item)
                size += item.ByteSize() if isinstance(item, Message) else _BYTES
                if len(self._batch) >= _ITEMS or size >= _BYTES:
                    self._flush()
                while self._put - self._taken >= _AHEAD:
                    self._free.clear()
                    if self._put - self._taken >= _AHEAD:
                        await self._free.wait()
            self._flush()
            self._queue.put(None)
        except Exception as error:  # noqa: BLE001 - raised in the caller's thread
            self._flush()
            self._queue.put(error)
        finally:
            if hasattr(items, "aclose"):
                await items.aclose()

    def _flush(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            self._put += 1
            self._queue.put(batch)

    def close(self) -> None:
        """End the iteration. The call is cancelled if it still runs."""
        self._ended = True
        if self._pump is not None:
            self._pump.cancel()

    def __enter__(self) -> Results[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(AttributeError, RuntimeError):
            self.close()


def _closed() -> BossjyError:
    return BossjyError("the client was closed during the call")


BACKGROUND = Background()


def _forget() -> None:
    """In a forked process: the thread of the parent does not exist here."""
    global BACKGROUND  # noqa: PLW0603 - state of the process
    BACKGROUND = Background()


def _stop() -> None:
    """At the end of the program: its unfinished calls end before the interpreter does."""
    thread, loop = BACKGROUND._thread, BACKGROUND._loop  # noqa: SLF001
    if thread is not None and loop is not None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_S)


os.register_at_fork(after_in_child=_forget)
atexit.register(_stop)
