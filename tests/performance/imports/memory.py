"""Memory of a server process and of its child processes, as reported by Linux."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

_KIB_A_MIB = 1024


def peak_mib(pid: int) -> float:
    """The sum of their maxima, which is at least the maximum of their sum. PostgreSQL and Redis are no children of a
    server that was given their URLs."""
    return sum(_status_kib(one, "VmHWM") for one in _family(pid)) / _KIB_A_MIB


def resident_mib(pid: int) -> float:
    """Their present sum."""
    return sum(_status_kib(one, "VmRSS") for one in _family(pid)) / _KIB_A_MIB


def _family(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def _status_kib(pid: int, name: str) -> int:
    with contextlib.suppress(OSError):  # it ended
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0
