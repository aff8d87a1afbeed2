"""Arguments of `bossjy keys`: API keys for programs."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("keys", help="API keys for programs").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    command = group.add_parser("list", parents=[common], help="the tenant's keys", **example("keys list"))
    command.set_defaults(command=later("keys", "_list"))
    text = "make a key; its secret is shown once"
    command = group.add_parser("create", parents=[common], help=text, description=text, **example("keys create"))
    command.add_argument("--name", required=True, metavar="TEXT", help="for people")
    command.add_argument(
        "--scope", action="append", required=True, metavar="SCOPE", help="such as phone.read; may be repeated"
    )
    command.add_argument("--days", type=int, metavar="N", help="days of validity (default: set by the service)")
    command.set_defaults(command=later("keys", "_create"))
    command = group.add_parser("revoke", parents=[common], help="end a key", **example("keys revoke"))
    command.add_argument("api_key_id", metavar="KEY", help="its id, as `bossjy keys list` shows it")
    command.set_defaults(command=later("keys", "_revoke"))
