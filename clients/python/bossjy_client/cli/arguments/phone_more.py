"""Arguments of more commands of `bossjy phone`: comparisons, input fields, short numbers, regions."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.arguments.values import region_code
from bossjy_client.cli.examples import example


def add_more_commands(group: Any, common: argparse.ArgumentParser, region: argparse.ArgumentParser) -> None:
    """Add the commands of this module. `region`: a parent with the option of this name."""
    command = group.add_parser(
        "partial", parents=[common, region], help="format the text typed so far", **example("phone partial")
    )
    command.add_argument("number", metavar="TEXT", help="the digits so far")
    command.add_argument(
        "--cursor", type=int, metavar="N", help="position of the cursor in the text (default: its end)"
    )
    command.set_defaults(command=later("phone_more", "_partial"))

    text = "check for a short or emergency number of --region, and its cost (exit code 6: it is none)"
    command = group.add_parser("short", parents=[common, region], help=text, description=text, **example("phone short"))
    command.add_argument("number", metavar="TEXT", help="a short number, such as 110")
    command.set_defaults(command=later("phone_more", "_short"))

    command = group.add_parser(
        "match", parents=[common, region], help="compare two texts as numbers", **example("phone match")
    )
    command.add_argument("first", metavar="TEXT", help="a number")
    command.add_argument("second", metavar="TEXT", help="the number to compare with it")
    command.add_argument(
        "--second-region",
        type=region_code,
        metavar="CC",
        default="",
        help="region of the second text (default: the one of --region)",
    )
    command.set_defaults(command=later("phone_more", "_match"))

    command = group.add_parser("regions", parents=[common], help="the regions of the plan", **example("phone regions"))
    command.add_argument("--calling-code", type=int, default=0, metavar="N", help="only those of this calling code")
    command.add_argument(
        "--number", metavar="TEXT", default="", help="those in which this text is a valid number (6: none)"
    )
    command.set_defaults(command=later("phone_more", "_regions"))
    command = group.add_parser(
        "region", parents=[common], help="one region, with example numbers", **example("phone region")
    )
    command.add_argument("code", type=region_code, metavar="CC", help="code of the region, such as CN")
    command.set_defaults(command=later("phone_more", "_region"))
