"""How a process of the server shares its interpreter and its memory among threads."""

from __future__ import annotations

import ctypes
import gc
import sys

import pyarrow as pa

# A thread that wants the interpreter asks the one that has it to let go after so long, in seconds. A call changes
# threads several times on its way through gRPC: with Python's 5 ms it would stand behind the cleaning of an import
# each time. Measured while an import runs: p95 of ValidateNumber 66 ms with 5 ms, 33 ms with this; imports as fast.
_SWITCH_S = 0.0005
# glibc gives each thread an arena of its own, eight a core, and each keeps what its thread once needed.
_M_ARENA_MAX, _ARENAS = -8, 2
# Larger pieces go back to the system when they are freed. Without it glibc keeps all up to 32 MiB once one was freed:
# 15 to 20 MiB more at the peak of an import.
_M_MMAP_THRESHOLD, _MMAP_BYTES = -3, 512 * 1024


def share_fairly() -> None:
    """Let calls pass the threads of bulk work, and keep memory that threads gave back in one place.

    Called once, before the process has threads of its own.
    """
    sys.setswitchinterval(_SWITCH_S)
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own allocator keeps memory by thread as well
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):  # musl has none
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


def keep_for_good() -> None:
    """Say that what was made so far lives as long as the process: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
