"""Release dates of phonenumbers versions, for the age of the running plan. The packages themselves state none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

# The date of the package. Add the version that a new lock names; a test compares the two.
RELEASED = {"9.0.38": "2026-08-28", "9.0.43": "2026-11-06"}


def plan_time(version: str, first_seen: Path) -> float:
    """Unix time of the release of a version; of an unlisted one, the time of the file `first_seen`."""
    if version in RELEASED:
        return datetime.fromisoformat(RELEASED[version]).replace(tzinfo=UTC).timestamp()
    return first_seen.stat().st_mtime
