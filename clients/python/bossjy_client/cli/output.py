"""Output of the tool: tables for people, JSON for programs. Results go to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich import box
from rich.console import Console as RichConsole
from rich.table import Table

from bossjy_client.errors import BossjyError

_PIPE_COLUMNS = 100_000


class Console(RichConsole):
    """A console whose reader may end (`| head`): BrokenPipeError, as any other file raises it.

    rich raises SystemExit, which ends the event loop while the command still runs.
    """

    def on_broken_pipe(self) -> None:
        """Raise the error again. Called while it is handled."""
        raise  # noqa: PLE0704 - rich calls this in its `except`


class Output:
    """Prints results. With `as_json` each result is one line of JSON, and nothing else goes to stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        # In a pipe each row is one line, whatever COLUMNS says.
        self.out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def json(self, value: object) -> None:
        """One line of JSON."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")

    def message(self, message: Message) -> None:
        """A message in its JSON form, with the field names of the contract."""
        self.json(as_dict(message))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """A table for people. Columns that end in `#` are aligned to the right."""
        table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in columns:
            right = column.endswith("#")
            table.add_column(column.removesuffix("#"), justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(f"{cell:,}" if type(cell) is int else escape(str(cell)) for cell in row))
        self.out.print(table)

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values, one pair a line; empty values are left out."""
        table = Table(show_header=False, show_edge=False, box=None, pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in pairs:
            if value not in ("", None, ()):
                table.add_row(name, f"{value:,}" if type(value) is int else escape(str(value)))
        self.out.print(table)

    def note(self, text: str) -> None:
        """A remark for people; left out in JSON."""
        if not self.as_json:
            self.err.print(escape(text))

    def error(self, error: BossjyError) -> None:
        """An error: one line, or one JSON object, on stderr."""
        if self.as_json:
            fields: dict[str, Any] = {
                "message": str(error),
                "code": error.code,
                "reason": error.reason,
                "request_id": error.request_id,
            }
            if error.metadata:
                fields["metadata"] = error.metadata
            if error.retry_after_s is not None:
                fields["retry_after_s"] = error.retry_after_s
            sys.stderr.write(json.dumps({"error": fields}, ensure_ascii=False) + "\n")
            return
        tail = " ".join(part for part in (error.reason or error.code, error.request_id) if part)
        self.err.print(f"[bold red]bossjy:[/] {escape(str(error))}" + (f" [dim]({escape(tail)})[/]" if tail else ""))


def escape(text: str) -> str:
    """Text without markup, and without control characters that the terminal would run."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return shown.replace("[", r"\[")


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON-ready values, with the field names of the contract and with unset fields."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def enum_word(name: str, prefix: str) -> str:
    """`REJECT_REASON_TOO_SHORT` as `TOO_SHORT`."""
    return name.removeprefix(prefix)
