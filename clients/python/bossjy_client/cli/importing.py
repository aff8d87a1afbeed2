"""`bossjy import`: files become contacts."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.import_input import input_of
from bossjy_client.cli.import_options import add_options, spec_of
from bossjy_client.cli.import_run import run_import
from bossjy_client.cli.pending import PendingImport
from bossjy_client.cli.session import Session
from bossjy_client.cli.summary import show_import, state_word
from bossjy_client.cli.wizard import run_wizard
from bossjy_client.errors import BossjyError

_ABOUT = "Import files. Each row counts once: the same command resumes an interrupted import."
_EXAMPLES = """examples:
  bossjy import                                     asks for everything, shows what will happen, then does it
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
    command.set_defaults(command=_import)


async def _import(session: Session) -> ExitCode:
    args = session.args
    files: list[str] = [*args.files, *args.more]
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not session.output.as_json
    if args.mode == "interactive" or (args.mode is None and not files and terminal):
        if not terminal:
            raise UsageError("--mode interactive needs a terminal: use --mode batch")
        if len(files) > 1:
            raise UsageError("--mode interactive takes one file")
        return await run_wizard(session, files[0] if files else "")
    if not files:
        raise UsageError("no file is named: run `bossjy import FILE…`, or `bossjy import -` to read a pipe")
    if files.count("-") > 1:
        raise UsageError("standard input can be imported once")
    return await _batch(session, files)


async def _batch(session: Session, files: list[str]) -> ExitCode:
    """Import one file after another, up to the first that fails. The same command continues after the last good one."""
    args = session.args
    spec_of(args)  # a wrong option is reported before any connection
    findings = False
    ended: list[PendingImport] = []
    async with session.client() as client:
        for file in files:
            given = input_of(args, file)
            job = await run_import(session, client, args, given, spec_of(args), ended=ended)
            _show(session, job)
            findings = findings or job.counts.rejected > 0
            if job.state != import_pb2.IMPORT_STATE_SUCCEEDED:
                session.output.error(BossjyError(f"{given.name}: {job.failure or state_word(job)}"))
                return ExitCode.REFUSED
    for one in ended:
        one.done()
    return ExitCode.FINDINGS if findings and not args.rejects_are_fine else ExitCode.DONE


def _show(session: Session, job: import_pb2.Import) -> None:
    show_import(session.output, job)
    if job.counts.rejected:
        session.output.note(f"rejected rows: bossjy imports rejects {job.import_id}")
    if job.counts.duplicate:
        session.output.note(f"duplicate rows: bossjy imports duplicates {job.import_id}")
