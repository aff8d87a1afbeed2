"""Arguments of `bossjy sessions`: the caller's logins that have not ended."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("sessions", help="your logins that have not ended").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    text = "your sessions, the newest first"
    command = group.add_parser("list", parents=[common], help=text, description=text, **example("sessions list"))
    command.set_defaults(command=later("sessions", "_list"))
    text = "end sessions; `bossjy logout --all` ends all of them"
    command = group.add_parser("revoke", parents=[common], help=text, description=text, **example("sessions revoke"))
    command.add_argument("sessions", metavar="SESSION", nargs="+", help="ids, as `bossjy sessions list` shows them")
    command.set_defaults(command=later("sessions", "_revoke"))
