"""Arguments of `bossjy register`: a new tenant and its owner."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "make a tenant and its owner, and log in as that owner"
    command = commands.add_parser("register", parents=[common], help=text, description=text, **example("register"))
    command.add_argument("--tenant-name", metavar="TEXT", default="", help="name of the new tenant (default: asks)")
    command.add_argument("--email", metavar="ADDRESS", default="", help="mail address of its owner (default: asks)")
    command.add_argument("--name", metavar="TEXT", default="", help="name of the owner")
    command.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    command.add_argument(
        "--token-file", metavar="FILE", default="", help="file with the operator's registration token (default: asks)"
    )
    command.set_defaults(command=later("register", "_register"))
