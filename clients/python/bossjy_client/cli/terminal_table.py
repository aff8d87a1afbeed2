"""Tables of a terminal, folded at its width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console as RichConsole
from rich.markup import escape
from rich.table import Table


class Console(RichConsole):
    """A console whose reader may end (`| head`): BrokenPipeError, as any other file raises it.

    rich raises SystemExit, which ends the event loop while the command still runs.
    """

    def on_broken_pipe(self) -> None:
        """Raise the error again. Called while it is handled."""
        raise  # noqa: PLE0704 - rich calls this in its `except`


def print_table(title: str, heads: Sequence[str], right: Sequence[bool], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. `right`: the columns that are aligned to the right."""
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for head, at_right in zip(heads, right, strict=True):
        table.add_column(escape(head), justify="right" if at_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    _print(table)


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values."""
    table = Table(show_header=False, show_edge=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(escape(name), escape(value))
    _print(table)


def _print(table: Table) -> None:
    Console(highlight=False, soft_wrap=True).print(table)
