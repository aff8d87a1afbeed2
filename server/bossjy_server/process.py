"""Interpreter and memory settings of a server process with threads."""

from __future__ import annotations

import ctypes
import gc
import importlib.abc
import sys
from typing import NoReturn

import pyarrow as pa

# The seconds after which a thread that wants the interpreter asks the running one to release it. A call changes threads
# several times in gRPC: with Python's 5 ms it would wait for the cleaning work of an import each time. Measured while
# an import runs: p95 of ValidateNumber 66 ms with 5 ms, 33 ms with this; imports are as fast.
_SWITCH_S = 0.0005
# glibc gives each thread an arena, up to eight per core, and each arena keeps the memory that its threads once needed.
_M_ARENA_MAX, _ARENAS = -8, 2
# Larger pieces go back to the system when they are freed. Otherwise glibc keeps all pieces up to 32 MiB after one was
# freed: 15 to 20 MiB more at the peak of an import.
_M_MMAP_THRESHOLD, _MMAP_BYTES = -3, 512 * 1024


def share_fairly() -> None:
    """Give calls priority over threads of bulk work, and keep freed memory in one place.

    Called once, before the process starts other threads.
    """
    sys.setswitchinterval(_SWITCH_S)
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own allocator keeps memory by thread as well
    _keep_pandas_out()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):  # musl has none
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


class _WithoutPandas(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, _path: object, _target: object = None) -> None:
        if name == "pandas":
            _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _keep_pandas_out() -> None:
    """Let Arrow's only search for pandas fail. Arrow imports pandas if it is installed beside: 50 MiB without a use."""
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)


def keep_for_good() -> None:
    """Exclude all existing objects from garbage collection: they live as long as the process."""
    gc.collect()
    gc.freeze()
