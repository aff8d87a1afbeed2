"""Import of one file with a progress bar. The same command resumes an interrupted import."""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from typing import TYPE_CHECKING

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import ExitCode, exit_code
from bossjy_client.cli.importing.check import check_first
from bossjy_client.cli.importing.input import ImportInput
from bossjy_client.cli.importing.options import command_line
from bossjy_client.cli.importing.pending import PendingImport
from bossjy_client.cli.importing.progress_lines import UploadLines
from bossjy_client.cli.importing.summary import identity_holds
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import Output
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError, SourceError

if TYPE_CHECKING:
    from bossjy_client.cli.importing.progress import UploadBar


async def run_import(
    session: Session,
    client: Client,
    args: argparse.Namespace,
    given: ImportInput,
    spec: import_pb2.ImportSpec,
    *,
    ended: list[PendingImport] | None = None,
) -> import_pb2.Import:
    """Import, or resume an import; returns a failed import. Raises BossjyError, also if the counts do not add up.

    Without `--yes` the first rows are checked before: see `check_first`. A successful import of one of several files is
    added to `ended`. Until `done` is called for it, the same command returns it unchanged.
    """
    given.describe(spec)
    if given.note:
        session.output.note(f"{given.name}: {given.note}")
    pending = PendingImport(session.login(), given.path, spec, args) if given.path else None
    request_id = pending.request_id() if pending else str(uuid.uuid4())
    file = str(given.path or "-")
    if pending and pending.resumed:
        session.output.note(tr("{file}: resuming the interrupted run", file=file))
    elif not args.yes:
        sample, complete = given.sample()
        await check_first(client, spec, sample, complete=complete)
    try:
        job = await _upload(session, client, args, given, spec, request_id)
    except BossjyError as error:
        if pending and (exit_code(error) is ExitCode.REFUSED or isinstance(error, SourceError)):
            pending.done()  # it would be rejected again, or was cancelled: the next run starts over
        job = await _failed(client, error)
    except asyncio.CancelledError:
        if pending:
            session.output.note(tr("committed rows are kept; to resume: {command}", command=command_line(args, file)))
        raise
    if pending:
        _end(pending, job, ended)
    if not identity_holds(job.counts):
        raise BossjyError(
            tr("the counts of import {import_id} do not add up", import_id=job.import_id), code="INTERNAL"
        )
    return job


def _end(pending: PendingImport, job: import_pb2.Import, ended: list[PendingImport] | None) -> None:
    if ended is not None and job.state == import_pb2.IMPORT_STATE_SUCCEEDED:
        ended.append(pending)
    else:
        pending.done()


async def _failed(client: Client, error: BossjyError) -> import_pb2.Import:
    """The import that failed because of its rejected rows. Raises any other error."""
    if error.reason != "REJECT_LIMIT_EXCEEDED":
        raise error
    return await client.imports.get(error.metadata["import_id"])


async def _upload(  # noqa: PLR0917 - the properties of one upload
    session: Session,
    client: Client,
    args: argparse.Namespace,
    given: ImportInput,
    spec: import_pb2.ImportSpec,
    request_id: str,
) -> import_pb2.Import:
    output = session.output
    with _progress(output, given) as bar:
        job = await client.imports.upload_file(
            given.source(args.parts),
            spec,
            region=spec.default_region,  # none is chosen: `check_first` has asked for it
            parts=args.parts,
            request_id=request_id,
            validate_only=args.dry_run,
            on_progress=bar.update,
        )
        bar.finish(job.counts)
        return job


def _progress(output: Output, given: ImportInput) -> UploadBar | UploadLines:
    """A bar on a terminal, else a line every few seconds; nothing beside JSON."""
    if output.as_json or not sys.stderr.isatty():
        return UploadLines(output.note, given.name, row_count=given.row_count)
    from bossjy_client.cli.importing.progress import UploadBar  # noqa: PLC0415 - needs the extra `cli`

    return UploadBar(output.err, given.name, row_count=given.row_count, show=True)
