"""Progress of an upload as lines on standard error, one every few seconds: for pipes, logs and `nohup`."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bossjy_client.cli.messages import tr

if TYPE_CHECKING:
    from bossjy.imports.v1 import import_pb2
    from bossjy_client.upload import UploadProgress

# Time between two lines.
EVERY_S = 5.0


class UploadLines:
    """Writes a line when the last one is old enough. Its methods are those of UploadBar."""

    def __init__(
        self,
        write: Callable[[str], None],
        name: str,
        *,
        row_count: int | None = None,
        every_s: float = EVERY_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._name = name
        self._row_count = row_count
        self._every_s = every_s
        self._now = now
        self._started = self._last = now()
        self._first_rows: int | None = None

    def update(self, progress: UploadProgress) -> None:
        """Write the progress, if it is time."""
        rows = progress.counts.rows_in
        if self._first_rows is None:
            self._first_rows = rows  # an earlier run committed these
        now = self._now()
        if now - self._last < self._every_s:
            return
        self._last = now
        self._write(
            tr(
                "{name}: {share}{rows} rows, {rate} rows/s, {rejected} rejected",
                name=self._name,
                share=self._share(progress),
                rows=f"{rows:,}",
                rate=f"{(rows - self._first_rows) / max(now - self._started, 1e-3):,.0f}",
                rejected=f"{progress.counts.rejected:,}",
            )
        )

    def _share(self, progress: UploadProgress) -> str:
        if progress.total_bytes:
            return f"{min(1.0, progress.committed_bytes / progress.total_bytes):.0%}, "
        if self._row_count:
            return f"{min(1.0, progress.counts.rows_in / self._row_count):.0%}, "
        return ""

    def finish(self, counts: import_pb2.ImportCounts) -> None:
        """Nothing: the summary of the import follows."""

    def __enter__(self) -> Self:
        """Return the lines themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be closed."""
