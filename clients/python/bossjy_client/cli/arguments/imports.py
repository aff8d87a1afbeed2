"""Arguments of `bossjy imports`: lists, results and reverts of imports."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.contacts import add_audience
from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("imports", help="imports made before").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    command = group.add_parser("list", parents=[common], help="imports, the newest first", **example("imports list"))
    command.add_argument("--filter", metavar="TEXT", default="", help='such as: state = "OPEN"')
    command.add_argument("--limit", type=int, default=50, metavar="N", help="the most to show (default 50)")
    command.set_defaults(command=later("imports", "_list"))
    for name, function, text in (
        ("show", later("imports", "_show"), "one import with its counts"),
        ("watch", later("imports", "_watch"), "an import each time that it changes, until it ends"),
        ("cancel", later("imports", "_cancel"), "end an open import; committed rows are kept"),
        ("revert", later("imports", "_revert"), "revert an import"),
        ("rejects", later("imports", "_rejects"), "the rejected rows"),
        (
            "duplicates",
            later("imports", "_duplicates"),
            "the duplicate rows: another row with the same number was used",
        ),
        ("changes", later("imports", "_changes"), "the contacts that it changed, with former and new values"),
    ):
        command = group.add_parser(name, parents=[common], help=text, **example(f"imports {name}"))
        command.add_argument("import_id", metavar="IMPORT", help="its id, as `bossjy imports list` shows it")
        command.set_defaults(command=function)
        if name == "revert":
            command.add_argument("--dry-run", action="store_true", help="only count the changes")
        if name in {"rejects", "duplicates"}:
            command.add_argument("-o", "--output", metavar="FILE", default="", help="a CSV file to correct and import")
            add_audience(command)
        if name in {"rejects", "duplicates", "changes"}:
            command.add_argument("--limit", type=int, default=100, metavar="N", help="the most to show (default 100)")
