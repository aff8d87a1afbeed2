"""Arguments of `bossjy phone`: queries about numbers."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.arguments.phone_more import add_more_commands
from bossjy_client.cli.arguments.values import region_code
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("phone", help="questions about phone numbers").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    region = argparse.ArgumentParser(add_help=False)
    region.add_argument(
        "--region",
        type=region_code,
        metavar="CC",
        default="",
        help="region assumed if there is no calling code, such as CN",
    )

    command = group.add_parser(
        "validate",
        parents=[common, region],
        help="validate texts as numbers (exit code 6: not all are valid)",
        **example("phone validate"),
    )
    command.add_argument("numbers", nargs="+", metavar="TEXT", help="a number; - reads one a line from standard input")
    command.add_argument("--full", action="store_true", help="formats, carrier, place and time zones as well")
    command.set_defaults(command=later("phone", "_validate"))

    text = "texts of a file, one a line or in a CSV column; writes CSV (exit code 6: not all are valid)"
    command = group.add_parser("bulk", parents=[common, region], help=text, description=text, **example("phone bulk"))
    command.add_argument("file", metavar="FILE", help="- is standard input")
    command.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")
    command.add_argument(
        "--column", metavar="NAME", default="", help="the file is CSV with a header; its other columns are kept"
    )
    command.add_argument(
        "--where",
        metavar="FILTER",
        default="",
        help="""write only these rows, such as 'region = "CN" AND type = "MOBILE"'""",
    )
    command.set_defaults(command=later("bulk", "run_bulk"))

    command = group.add_parser(
        "explain",
        parents=[common, region],
        help="the problem, and likely fixes",
        **example("phone explain"),
    )
    command.add_argument("number", metavar="TEXT", help="a text that may be a number")
    command.set_defaults(command=later("phone_explain", "_explain"))

    text = "carrier and line of a number now, by the operator's provider (exit code 6: not valid, or not known)"
    command = group.add_parser(
        "lookup", parents=[common, region], help=text, description=text, **example("phone lookup")
    )
    command.add_argument("number", metavar="TEXT", help="a number")
    command.set_defaults(command=later("phone", "_lookup"))

    command = group.add_parser(
        "format", parents=[common, region], help="a number in its formats", **example("phone format")
    )
    command.add_argument("number", metavar="TEXT", help="a number")
    command.add_argument(
        "--from", dest="calling_from", type=region_code, metavar="CC", default="", help="as dialled from this region"
    )
    command.set_defaults(command=later("phone", "_format"))

    command = group.add_parser("find", parents=[common, region], help="the numbers in a text", **example("phone find"))
    command.add_argument("text", metavar="TEXT", help="- reads standard input")
    command.add_argument(
        "--full", action="store_true", help="formats, carrier, place and time zones as well; with --json"
    )
    command.set_defaults(command=later("phone", "_find"))

    add_more_commands(group, common, region)
