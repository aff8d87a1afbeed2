"""Arguments of `bossjy import`: files become contacts."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.import_options import add_options
from bossjy_client.cli.arguments.later import later

_ABOUT = (
    "Import files. Each row counts once: the same command resumes an interrupted import. Without a file it asks for "
    "everything, shows the result, and imports then."
)
_EXAMPLES = """examples:
  bossjy import
  bossjy import customers.xlsx --sheet 客户 --region CN
  bossjy import old.csv new.csv --existing fill --map phone=联系方式
  bossjy import big.csv --parts 4 --enrich --language zh
  bossjy import report.csv --header-row 4 --region CN --max-rejects 5%
  bossjy import outfile.tsv --quote none --escape '\\' --header absent --map phone=column_2
  zcat customers.csv.gz | bossjy import - --json
"""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    command = commands.add_parser(
        "import",
        parents=[common],
        help="files become contacts",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    command.add_argument(
        "files", nargs="*", metavar="FILE", help="CSV, JSON, XLSX, vCard, Parquet and others; - is standard input"
    )
    command.add_argument("--file", action="append", default=[], dest="more", metavar="FILE", help="the same")
    command.add_argument(
        "--mode",
        choices=("batch", "interactive"),
        help="interactive: asks on the terminal (default if no file is named)",
    )
    add_options(command)
    command.add_argument("--dry-run", action="store_true", help="merge, then roll back: only count")
    command.add_argument("--rejects-are-fine", action="store_true", help="exit with 0 although rows were rejected")
    command.set_defaults(command=later("importing.command", "_import"))
