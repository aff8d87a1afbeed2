"""Free space of the data folder, for health: a full disk is reported once, and again when it has space."""

from __future__ import annotations

import os
from pathlib import Path

from bossjy_server.blocking import in_thread
from bossjy_server.telemetry.logging import Log

# PostgreSQL's next segment has this size, and a log file 10 MB.
_LEAST_BYTES = 16 * 1024 * 1024


class DiskProbe:
    """A probe of the data folder and the log file in it."""

    def __init__(self, folder: Path, log: Log) -> None:
        self._folder, self._log = folder, log

    async def __call__(self) -> bool:
        """True if the disk has space and the log file can be written."""
        return not self._log.file_fails and await in_thread(self._has_space)

    def _has_space(self) -> bool:
        try:
            space = os.statvfs(self._folder)
        except OSError:
            return False
        return space.f_bavail * space.f_frsize >= _LEAST_BYTES

    def report(self, *, works: bool) -> None:
        """Log a change."""
        if works:
            self._log.info("the data folder has space again", folder=str(self._folder))
        else:
            self._log.warning(
                "the disk of the data folder is full, or its log cannot be written",
                folder=str(self._folder),
                action="free space on this disk, or make the folder writable; calls are answered meanwhile",
            )
