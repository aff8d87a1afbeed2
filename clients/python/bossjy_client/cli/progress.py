"""A progress bar for an upload: bytes committed, rows a second, rows refused, time left."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from bossjy_client.upload import UploadProgress


class _RowsColumn(ProgressColumn):
    """Rows, and, where `rate`, rows a second since the start of the bar."""

    def __init__(self, *, rate: bool) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._rate = rate

    def render(self, task: Task) -> Text:
        rows = int(task.fields.get("rows", 0))
        elapsed = task.elapsed or 0.0
        rate = f" {rows / elapsed:,.0f}/s" if self._rate and elapsed > 0.2 and rows else ""
        return Text(f"{rows:,} rows{rate}")


class UploadBar:
    """A bar on stderr. Draws nothing where `show` is false or stderr is no terminal."""

    def __init__(self, console: Console, name: str, *, show: bool, rate: bool = True) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            _RowsColumn(rate=rate),
            TextColumn("{task.fields[rejected]:,} refused{task.fields[reopened]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not (show and console.is_terminal),
            refresh_per_second=8,
        )
        self._task = self._progress.add_task(name, total=None, rows=0, rejected=0, reopened="")
        self._first_rows: int | None = None

    def update(self, progress: UploadProgress) -> None:
        """Show how far it is. What an earlier run committed counts as done, and not for the rate."""
        if self._first_rows is None:
            self._first_rows = progress.counts.rows_in
        again = f", reconnected {progress.reopened}×" if progress.reopened else ""
        self._progress.update(
            self._task,
            completed=progress.committed_bytes,
            total=progress.total_bytes,
            rows=progress.counts.rows_in - self._first_rows,
            rejected=progress.counts.rejected,
            reopened=again,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self._progress.stop()
