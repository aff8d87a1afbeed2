"""Arguments of `bossjy tenant` and `bossjy audit`: settings, limits and the audit log of the tenant."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.arguments.values import region_code
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("tenant", help="name, default region and limits of the tenant").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    text = "name, default region and limits"
    command = group.add_parser("show", parents=[common], help=text, description=text, **example("tenant show"))
    command.set_defaults(command=later("tenant", "_show"))
    text = "change the tenant; only an owner may"
    command = group.add_parser("set", parents=[common], help=text, description=text, **example("tenant set"))
    command.add_argument("--name", metavar="TEXT", help="display name")
    command.add_argument(
        "--region",
        type=region_code,
        metavar="CC",
        help="region of imports and calls that give none, such as CN; '' for none",
    )
    command.add_argument(
        "--second-factor", choices=("required", "optional"), help="whether every user needs a second factor"
    )
    command.set_defaults(command=later("tenant", "_set"))

    text = "events of the audit log, the newest first"
    command = commands.add_parser("audit", parents=[common], help=text, description=text, **example("audit"))
    command.add_argument(
        "--filter",
        metavar="TEXT",
        default="",
        help='over actor, action, resource, outcome, event_time; such as: action = "auth.login" AND outcome != "OK"',
    )
    command.add_argument("--limit", type=int, default=100, metavar="N", help="the most to show (default 100; 0: all)")
    command.set_defaults(command=later("tenant", "_audit"))
