"""Arguments of `bossjy contacts`: the tenant's contacts."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example

FORMATS = ("arrow", "csv", "jsonl")
DIMENSIONS = ("carrier", "day", "import", "region", "type")


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("contacts", help="list, count, export, delete, erase").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    filtered = argparse.ArgumentParser(add_help=False)
    filtered.add_argument("--filter", metavar="TEXT", default="", help='such as: region = "CN" AND name : "wang"')

    command = group.add_parser(
        "list", parents=[common, filtered], help="contacts that pass a filter", **example("contacts list")
    )
    command.add_argument("--order-by", metavar="FIELD", default="", help="phone_number, create_time, update_time")
    command.add_argument("--limit", type=int, default=100, metavar="N", help="the most to show (default 100; 0: all)")
    command.set_defaults(command=later("contacts", "_list"))

    command = group.add_parser("get", parents=[common], help="one contact", **example("contacts get"))
    command.add_argument("number", metavar="E164", help="such as +8613800000000")
    command.set_defaults(command=later("contacts", "_get"))

    command = group.add_parser(
        "stats", parents=[common, filtered], help="counts by region, type …", **example("contacts stats")
    )
    command.add_argument("--by", choices=DIMENSIONS, action="append", default=[], help="may be repeated")
    command.set_defaults(command=later("contacts", "_stats"))

    command = group.add_parser(
        "export", parents=[common, filtered], help="a file of contacts", **example("contacts export")
    )
    command.add_argument("-o", "--output", metavar="FILE", required=True, help="- is standard output")
    command.add_argument("--format", choices=FORMATS, default="csv", help="form of the file (default: csv)")
    add_audience(command)
    command.set_defaults(command=later("contacts", "_export"))

    command = group.add_parser(
        "delete",
        parents=[common],
        help="delete one contact; an import may create it again",
        **example("contacts delete"),
    )
    command.add_argument("number", metavar="E164", help="number of the contact, such as +8613800000000")
    command.set_defaults(command=later("contacts", "_delete"))

    command = group.add_parser(
        "erase",
        parents=[common],
        help="erase numbers permanently, with all stored data about them",
        **example("contacts erase"),
    )
    command.add_argument("numbers", metavar="E164", nargs="+", help="a number, such as +8613800000000")
    command.add_argument("--purpose", metavar="TEXT", default="", help="why, without personal data")
    command.set_defaults(command=later("contacts", "_erase"))


def add_audience(command: Any) -> None:
    """Add `--for`: the reader of the CSV file."""
    command.add_argument(
        "--for",
        dest="audience",
        choices=("excel", "data"),
        default="excel",
        help="excel: an apostrophe guards cells that a spreadsheet would run as formulas; data: unchanged cells",
    )
