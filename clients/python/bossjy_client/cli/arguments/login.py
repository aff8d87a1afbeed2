"""Arguments of `bossjy login`, `logout`, `whoami`."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "log in; the credentials are stored in a file that only you can read"
    login = commands.add_parser("login", parents=[common], help=text, description=text, **example("login"))
    login.add_argument("--tenant", metavar="ID", default="", help="tenant id (default: asks)")
    login.add_argument("--email", metavar="ADDRESS", default="", help="mail address (default: asks)")
    login.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; more lines, if the service asks: a one-time code, a new password",
    )
    login.add_argument("--api-key-stdin", action="store_true", help="read an API key from standard input instead")
    login.set_defaults(command=later("login", "_login"))
    logout = commands.add_parser("logout", parents=[common], help="end the session and delete it", **example("logout"))
    logout.add_argument("--all", action="store_true", help="end your sessions on all devices")
    logout.set_defaults(command=later("login", "_logout"))
    whoami = commands.add_parser(
        "whoami", parents=[common], help="show the caller and its permissions", **example("whoami")
    )
    whoami.set_defaults(command=later("login", "_whoami"))
