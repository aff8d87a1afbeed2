"""Arguments of `bossjy plan`: the numbering plan, and the changes between its versions."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.arguments.values import region_code
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("plan", help="the current numbering plan").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    command = group.add_parser("show", parents=[common], help="version and size of the plan", **example("plan show"))
    command.set_defaults(command=later("plan", "_show"))
    command = group.add_parser(
        "diff", parents=[common], help="exact differences of two versions", **example("plan diff")
    )
    command.add_argument("old", metavar="FROM", help="version of the older plan")
    command.add_argument("new", metavar="TO", nargs="?", default="", help="default: the current version")
    command.add_argument("--region", type=region_code, metavar="CC", default="", help="only this region")
    command.set_defaults(command=later("plan", "_diff"))
