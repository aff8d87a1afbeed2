"""Password hashing with argon2id on separate threads, with a bounded queue.

A hash takes 15 to 30 ms of one core on purpose. So it never runs on the event loop. As many hashes run as there are
cores, in a flood one fewer. A few calls wait. Beyond that a call is refused immediately, and other calls stay fast.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from nacl.exceptions import InvalidkeyError
from nacl.exceptions import ValueError as TooLongError
from nacl.pwhash import argon2id

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.hashing_semaphore import HashingSemaphore
from bossjy_server.errors import Reason, ResourceExhausted

T = TypeVar("T")

_RETRY_AFTER_S = 0.5
_NICENESS = 10  # of the hashing threads


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check: right or wrong, and if the hash was made with other settings than the current ones."""

    right: bool
    rehash: bool = False


class Hasher:
    """argon2id by libsodium (docs/decisions/0021). Thread-safe."""

    def __init__(self, memory_kib: int, time_cost: int) -> None:
        self._cost = {"opslimit": time_cost, "memlimit": memory_kib * 1024}
        self._head = f"$argon2id$v=19$m={memory_kib},t={time_cost},p=1$"
        # Checked instead of the hash of an account that does not exist, so that both take the same time.
        self._dummy = self.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """The hash of `password` with its own salt, in the usual text form."""
        return argon2id.str(normal(password).encode(), **self._cost).decode("ascii")

    def verify(self, stored: str | None, password: str) -> Verdict:
        """Check `password` against a stored hash; None means an account that does not exist."""
        checked = stored or self._dummy
        try:
            argon2id.verify(checked.encode(), normal(password).encode())
        except (InvalidkeyError, TooLongError):
            return Verdict(right=False)
        return Verdict(right=stored is not None, rehash=not checked.startswith(self._head))


class Passwords:
    """Hashes and checks passwords for calls that have a slot. `close()` when done."""

    def __init__(self, options: AuthOptions) -> None:
        self._hasher = Hasher(options.argon2_memory_kib, options.argon2_time_cost)
        self._executor = ThreadPoolExecutor(options.threads, thread_name_prefix="argon2", initializer=_stand_back)
        self._semaphore = HashingSemaphore(options.threads)
        self._limit = options.threads * (1 + options.hash_queue_per_thread)
        self._held = 0

    @contextmanager
    def slot(self) -> Iterator[HashingSlot]:
        """A slot in the queue for the whole of a call that hashes, including its database work.

        So a flood is refused before it costs anything. Raises ResourceExhausted(OVERLOADED) if all slots are in use.
        """
        if self._held >= self._limit:
            self._semaphore.note_refusal()
            raise ResourceExhausted(
                Reason.OVERLOADED,
                "too many logins wait already: try again in a moment",
                retry_after_s=_RETRY_AFTER_S,
            )
        self._held += 1
        try:
            yield HashingSlot(self._hasher, self._executor, self._semaphore)
        finally:
            self._held -= 1

    def close(self) -> None:
        """End the threads; waiting work is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class HashingSlot:
    """The operations of a slot. A hash that is running when its call is cancelled ends by itself."""

    def __init__(self, hasher: Hasher, executor: ThreadPoolExecutor, semaphore: HashingSemaphore) -> None:
        self._hasher = hasher
        self._executor = executor
        self._semaphore = semaphore

    async def hash(self, password: str) -> str:
        """The argon2id hash of `password` in its usual text form."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Check `password` against a stored hash; None means an account that does not exist."""
        return await self._run(lambda: self._hasher.verify(stored, password))

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._semaphore.slot():
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _stand_back() -> None:
    """Lower the thread's priority: a flood of logins gets only idle time of the cores."""
    with suppress(OSError):  # only Linux has thread priorities
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def normal(password: str) -> str:
    """The NFKC form, equal for texts that look the same on any keyboard (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)
