"""Interface of a second destination of log lines, beside console and file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

# Time, level, event, fields.
Line: TypeAlias = tuple[float, int, str, Mapping[str, object]]


class Sink(Protocol):
    """Takes lines without waiting. `sent` and `dropped` count them since the start."""

    sent: int
    dropped: int

    def add(self, line: Line) -> None:
        """Take a line, or drop and count it."""

    def close(self) -> None:
        """Send what waits, for at most some seconds."""
