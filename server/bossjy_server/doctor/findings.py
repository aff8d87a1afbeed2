"""Findings of the self-check: state, fact, and the action that repairs it. Numbers in their texts have units."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

_DAY_S = 86_400.0
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class State(StrEnum):
    """The state of one fact. FAIL: the server does not start, or does not serve."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the self-check. `check` is its subject. The texts contain no secret."""

    check: str
    state: State
    fact: str
    action: str = ""


def ok(check: str, fact: str, action: str = "") -> Finding:
    """A fact that needs no action; `action` is a hint."""
    return Finding(check, State.OK, fact, action)


def warn(check: str, fact: str, action: str) -> Finding:
    """A risk."""
    return Finding(check, State.WARN, fact, action)


def fail(check: str, fact: str, action: str) -> Finding:
    """A fault."""
    return Finding(check, State.FAIL, fact, action)


def size_text(count: float) -> str:
    """A number of bytes with its unit."""
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"


def days_since(moment: float) -> int:
    """Whole days since a Unix time; negative in the future."""
    return int((time.time() - moment) // _DAY_S)


def date_text(moment: float) -> str:
    """A Unix time as a date of UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))
