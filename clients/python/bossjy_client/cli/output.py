"""Output of the tool: tables for people, JSON or CSV for programs. Results go to stdout, all else to stderr."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bossjy_client.cli.messages import error_text, tr
from bossjy_client.cli.plain_table import pair_lines, table_lines

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import Console

    from bossjy_client.errors import BossjyError


class Output:
    """Prints results. With `as_json` each result is one line of JSON, and nothing else goes to stdout.

    With `as_csv` the first table of a command is CSV. Its column names do not depend on the language.
    """

    def __init__(self, *, as_json: bool, as_csv: bool = False) -> None:
        self.as_json = as_json
        self.as_csv = as_csv
        self._csv_columns: list[str] = []
        self._err: Console | None = None

    @property
    def err(self) -> Console:
        """The terminal on standard error, for questions and bars. It needs the extra `cli`."""
        if self._err is None:
            from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

            self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        return self._err

    def json(self, value: object) -> None:
        """One line of JSON."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")

    def message(self, message: Message) -> None:
        """A message in its JSON form, with the field names of the contract."""
        self.json(as_dict(message))

    def line(self, text: str) -> None:
        """A line of text as the result."""
        if self.as_csv:
            self._csv(["text"], [[text]])
        else:
            sys.stdout.write(cleaned(text) + "\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """A table for people. Columns that end in `#` are aligned to the right."""
        if self.as_csv:
            self._csv([column.removesuffix("#") for column in columns], rows)
            return
        right = [column.endswith("#") for column in columns]
        heads = [tr(column.removesuffix("#")) for column in columns]
        cells = ([_shown(cell) for cell in row] for row in rows)
        if sys.stdout.isatty():
            from bossjy_client.cli.terminal_table import print_table  # noqa: PLC0415 - only a terminal needs it

            print_table(tr(title), heads, right, cells)
        else:
            sys.stdout.writelines(f"{line}\n" for line in table_lines(tr(title), heads, right, list(cells)))

    def pairs(self, pairs: Iterable[tuple[str, object]], own: Iterable[tuple[str, object]] = ()) -> None:
        """Names and values, one pair a line; empty values are left out. `own`: pairs whose names are data."""
        found = list(pairs)
        if self.as_csv:
            found += own
            self._csv([name.strip() for name, _ in found], [["" if one is None else one for _, one in found]])
            return
        named = [*((tr(name), value) for name, value in found), *((cleaned(name), value) for name, value in own)]
        shown = [(name, _shown(value)) for name, value in named if value not in ("", None, ())]
        if sys.stdout.isatty():
            from bossjy_client.cli.terminal_table import print_pairs  # noqa: PLC0415 - only a terminal needs it

            print_pairs(shown)
        else:
            sys.stdout.writelines(f"{line}\n" for line in pair_lines(shown))

    def _csv(self, columns: list[str], rows: Iterable[Sequence[object]]) -> None:
        """The first table, and more rows with its columns. A CSV file is one table, so others are left out."""
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if not self._csv_columns:
            self._csv_columns = columns
            writer.writerow(columns)
        if columns == self._csv_columns:
            shown = cleaned if sys.stdout.isatty() else str
            writer.writerows([shown(str(cell)) for cell in row] for row in rows)

    def note(self, text: str) -> None:
        """A remark for people; left out in JSON."""
        if not self.as_json:
            sys.stderr.write(cleaned(text) + "\n")

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
        red, dim, end = ("\x1b[1;31m", "\x1b[2m", "\x1b[0m") if _in_colour() else ("", "", "")
        more = f" {dim}({cleaned(tail)}){end}" if tail else ""
        sys.stderr.write(f"{red}bossjy:{end} {cleaned(error_text(error))}{more}\n")


def _in_colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _shown(cell: object) -> str:
    return f"{cell:,}" if type(cell) is int else cleaned(str(cell))


def cleaned(text: str) -> str:
    """Text without control characters that the terminal would run."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def escape(text: str) -> str:
    """Text without control characters, and without the markup of rich."""
    return cleaned(text).replace("[", r"\[")


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON-ready values, with the field names of the contract and with unset fields."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - tables do without

    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def enum_word(name: str, prefix: str) -> str:
    """`REJECT_REASON_TOO_SHORT` as `TOO_SHORT`."""
    return name.removeprefix(prefix)
