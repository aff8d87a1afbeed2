"""Progress bar of an upload: rows committed, rows a second, rows rejected, time left."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from bossjy.imports.v1 import import_pb2
from bossjy_client.upload import UploadProgress

_NAME_CHARS = 24


class _RowsColumn(ProgressColumn):
    """Rows, and rows a second since the start of the bar."""

    def __init__(self) -> None:
        super().__init__(table_column=Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        rows = int(task.fields.get("rows", 0))
        elapsed = task.elapsed or 0.0
        rate = f" {rows / elapsed:,.0f} rows/s" if elapsed > 0.2 and rows else " rows"
        return Text(f"{rows:,}{rate}")


class _LeftColumn(TimeRemainingColumn):
    """Time left; at the end, time needed."""

    def render(self, task: Task) -> Text:
        return super().render(task).append("" if task.finished else " left")


class UploadBar:
    """A bar on stderr. Draws nothing if `show` is false or stderr is not a terminal.

    `row_count`: approximate rows of the file, if its size in bytes is not known.
    """

    def __init__(self, console: Console, name: str, *, show: bool, row_count: int | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            _RowsColumn(),
            TextColumn("{task.fields[rejected]:,} refused{task.fields[reopened]}", table_column=Column(no_wrap=True)),
            _LeftColumn(compact=True, elapsed_when_finished=True, table_column=Column(no_wrap=True)),
            console=console,
            expand=True,
            disable=not (show and console.is_terminal),
            refresh_per_second=8,
        )
        shown = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
        self._task = self._progress.add_task(shown, total=None, rows=0, rejected=0, reopened="")
        self._row_count = row_count
        self._first_rows: int | None = None

    def update(self, progress: UploadProgress) -> None:
        """Show the progress. Rows that an earlier run committed count as done, but not in the rate."""
        rows = progress.counts.rows_in
        done, total = progress.committed_bytes, progress.total_bytes
        if total is None and self._row_count is not None:
            done, total = rows, max(self._row_count, rows)
        if self._first_rows is None:
            self._first_rows = rows
            self._progress.reset(self._task, completed=done, total=total)
        again = f", reconnected {progress.reopened}×" if progress.reopened else ""
        self._progress.update(
            self._task,
            completed=done,
            total=total,
            rows=rows - self._first_rows,
            rejected=progress.counts.rejected,
            reopened=again,
        )

    def finish(self, counts: import_pb2.ImportCounts) -> None:
        """Show the end: all is committed."""
        rows = counts.rows_in - (self._first_rows or 0)
        self._progress.update(self._task, total=1, completed=1, rows=rows, rejected=counts.rejected)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self._progress.stop()
