"""Arguments of `bossjy second-factor`: one-time codes of the caller."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("second-factor", help="one-time codes for your login").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    secrets = argparse.ArgumentParser(add_help=False)
    secrets.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; a second line is the current one-time code or a recovery code",
    )

    text = "a new secret for an authenticator application, and new recovery codes after its first code"
    command = group.add_parser(
        "enrol", parents=[common, secrets], help=text, description=text, **example("second-factor enrol")
    )
    command.set_defaults(command=later("second_factor", "_enrol"))
    text = "turn the second factor on with a code of the new secret, which is asked for, or read from standard input"
    command = group.add_parser(
        "confirm", parents=[common], help=text, description=text, **example("second-factor confirm")
    )
    command.set_defaults(command=later("second_factor", "_confirm"))
    text = "turn the second factor off"
    command = group.add_parser(
        "disable", parents=[common, secrets], help=text, description=text, **example("second-factor disable")
    )
    command.set_defaults(command=later("second_factor", "_disable"))
