"""Arguments of `bossjy password`, and the change of a password at login."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "change your own password"
    command = commands.add_parser("password", parents=[common], help=text, description=text, **example("password"))
    command.add_argument(
        "--password-stdin", action="store_true", help="read the current and the new password, one a line, from stdin"
    )
    command.add_argument("--end-other-sessions", action="store_true", help="end your sessions on other devices")
    command.set_defaults(command=later("password", "_password"))
