"""`bossjy import`: files become contacts."""

from __future__ import annotations

import sys

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.importing.input import input_of
from bossjy_client.cli.importing.options import spec_of
from bossjy_client.cli.importing.pending import PendingImport
from bossjy_client.cli.importing.run import run_import
from bossjy_client.cli.importing.summary import show_import, state_word
from bossjy_client.cli.messages import tr
from bossjy_client.cli.session import Session
from bossjy_client.errors import BossjyError


async def _import(session: Session) -> ExitCode:
    args = session.args
    files: list[str] = [*args.files, *args.more]
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not session.output.as_json
    if args.mode == "interactive" or (args.mode is None and not files and terminal):
        if not terminal:
            raise UsageError(tr("--mode interactive needs a terminal: use --mode batch"))
        if len(files) > 1:
            raise UsageError(tr("--mode interactive takes one file"))
        from bossjy_client.cli.importing.wizard import run_wizard  # noqa: PLC0415 - needs the extra `cli`

        return await run_wizard(session, files[0] if files else "")
    if not files:
        raise UsageError(tr("no file is named: run `bossjy import FILE…`, or `bossjy import -` to read a pipe"))
    if files.count("-") > 1:
        raise UsageError(tr("standard input can be imported once"))
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
        session.output.note(tr("rejected rows: bossjy imports rejects {import_id}", import_id=job.import_id))
    if job.counts.duplicate:
        session.output.note(tr("duplicate rows: bossjy imports duplicates {import_id}", import_id=job.import_id))
