"""Journal of an operator's acts on the signing keys, to be copied into the audit log.

`bossjy-server keys` needs only the key folder, so it works also without a database. It writes its acts to a file in
that folder, and each server copies the lines into the database. ListAuditEvents shows them to every tenant. A line has
its own event id, so copying it twice, or by several servers, adds it once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bossjy_server.auth.audit import audit_store
from bossjy_server.blocking import in_thread
from bossjy_server.storage.audit import new_event_id
from bossjy_server.storage.postgres import Database

_FILE = "operator.jsonl"
_ENTRIES_MAX = 1000  # the latest; a line has some 150 bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One act of an operator."""

    event_id: str
    event_time: str  # ISO 8601
    action: str
    resource: str


class OperatorJournal:
    """The journal of one key folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "keys" / _FILE
        self._copied: set[str] = set()

    def add(self, action: str, resource: str) -> None:
        """Append an act. Blocks."""
        entry = Entry(new_event_id(), datetime.now(UTC).isoformat(), action, resource)
        line = json.dumps(asdict(entry)) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())  # one write, so that two commands cannot mix their lines
        finally:
            os.close(file)

    async def copy(self, database: Database) -> None:
        """Add entries that are missing in the database. Raises OSError, or Unavailable; the rest is added next time."""
        entries = [entry for entry in await in_thread(self._read) if entry.event_id not in self._copied]
        if not entries:
            return
        async with database.system() as connection:
            for entry in entries:
                time = datetime.fromisoformat(entry.event_time)
                await audit_store.insert_operator_event(connection, entry.event_id, time, entry.action, entry.resource)
        self._copied.update(entry.event_id for entry in entries)

    def _read(self) -> list[Entry]:
        try:
            lines = self._path.read_text("utf-8", errors="replace").splitlines()[-_ENTRIES_MAX:]
        except FileNotFoundError:
            return []
        return list(_entries(lines))


def _entries(lines: list[str]) -> Iterator[Entry]:
    """Parse lines. An unreadable line is skipped: it was truncated, or somebody edited the file."""
    for line in lines:
        with suppress(ValueError, TypeError):
            entry = Entry(**json.loads(line))
            datetime.fromisoformat(entry.event_time)
            if all(isinstance(value, str) for value in asdict(entry).values()):
                yield entry
