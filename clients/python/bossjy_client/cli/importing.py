"""`bossjy import`: files become contacts."""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path
from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.pending import PendingImport
from bossjy_client.cli.progress import UploadBar
from bossjy_client.cli.session import Session
from bossjy_client.cli.summary import identity_holds, show_import
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError
from bossjy_client.sources import FileSource, StreamSource

_EXISTING = {
    "skip": import_pb2.EXISTING_POLICY_SKIP,
    "fill": import_pb2.EXISTING_POLICY_FILL_EMPTY,
    "overwrite": import_pb2.EXISTING_POLICY_OVERWRITE,
}
_DUPLICATE = {
    "first": import_pb2.DUPLICATE_POLICY_FIRST_WINS,
    "last": import_pb2.DUPLICATE_POLICY_LAST_WINS,
}
_HEADER = {"present": import_pb2.HEADER_PRESENT, "absent": import_pb2.HEADER_ABSENT}
_FIELDS = {
    "phone": import_pb2.CONTACT_FIELD_PHONE_NUMBER,
    "other": import_pb2.CONTACT_FIELD_OTHER_NUMBER,
    "name": import_pb2.CONTACT_FIELD_NAME,
    "email": import_pb2.CONTACT_FIELD_EMAIL,
    "country": import_pb2.CONTACT_FIELD_COUNTRY,
    "attribute": import_pb2.CONTACT_FIELD_ATTRIBUTE,
    "ignore": import_pb2.CONTACT_FIELD_IGNORE,
}


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "Import files. Each row counts once: when it is cut, the same command goes on where it was."
    command = commands.add_parser("import", parents=[common], help="files become contacts", description=text)
    command.add_argument("files", nargs="*", metavar="FILE", help="CSV, TSV, JSONL; - is standard input")
    command.add_argument("--file", action="append", default=[], dest="more", metavar="FILE", help="the same")
    command.add_argument("--region", metavar="CC", default="", help="region assumed where there is no calling code")
    command.add_argument(
        "--existing", choices=sorted(_EXISTING), help="contacts that are there already (default: overwrite)"
    )
    command.add_argument(
        "--duplicates", choices=sorted(_DUPLICATE), help="which of several rows counts (default: first)"
    )
    command.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help=f"what a column means: {', '.join(_FIELDS)}; may be repeated",
    )
    command.add_argument("--encoding", default="", metavar="NAME", help="such as gb18030 (default: found out)")
    command.add_argument("--delimiter", default="", metavar="C", help="one character (default: found out)")
    command.add_argument("--header", choices=sorted(_HEADER), help="whether the first row names the columns")
    command.add_argument("--name", default="", metavar="TEXT", help="name of the import, for people")
    command.add_argument("--dry-run", action="store_true", help="merge for real and roll back: only count")
    command.add_argument("--rejects-are-fine", action="store_true", help="exit with 0 though rows were refused")
    command.set_defaults(command=_import)


async def _import(session: Session) -> ExitCode:
    args = session.args
    files: list[str] = [*args.files, *args.more]
    if not files:
        raise UsageError("no file is named: run `bossjy import FILE…`, or `bossjy import -` to read a pipe")
    if files.count("-") > 1:
        raise UsageError("standard input can be imported once")
    spec = _spec(args)
    findings = False
    async with session.client() as client:
        for file in files:
            job = await _import_one(session, client, file, spec)
            if not identity_holds(job.counts):
                raise BossjyError(f"the counts of import {job.import_id} do not add up", code="INTERNAL")
            findings = findings or job.counts.rejected > 0
            if job.state != import_pb2.IMPORT_STATE_SUCCEEDED:
                return ExitCode.REFUSED
    return ExitCode.FINDINGS if findings and not args.rejects_are_fine else ExitCode.DONE


async def _import_one(session: Session, client: Client, file: str, spec: import_pb2.ImportSpec) -> import_pb2.Import:
    args, output = session.args, session.output
    pending = None
    source: FileSource | StreamSource
    if file == "-":
        source, request_id = StreamSource(sys.stdin.buffer, "standard input"), str(uuid.uuid4())
    else:
        source = FileSource(Path(file))
        pending = PendingImport(session.login(), Path(file), spec, validate_only=args.dry_run)
        request_id = pending.request_id()
        if pending.resumed:
            output.note(f"{file}: going on where the last run was cut")
    with UploadBar(output.err, source.name, show=not output.as_json) as bar:
        job = await client.imports.upload_file(
            source, spec, request_id=request_id, validate_only=args.dry_run, on_progress=bar.update
        )
    if pending is not None:
        pending.done()
    show_import(output, job)
    if job.counts.rejected and not output.as_json:
        output.note(f"refused rows: bossjy imports rejects {job.import_id}")
    return job


def _spec(args: argparse.Namespace) -> import_pb2.ImportSpec:
    spec = import_pb2.ImportSpec(display_name=args.name, default_region=args.region.upper())
    spec.source.encoding = args.encoding
    spec.source.delimiter = {"\\t": "\t", "tab": "\t"}.get(args.delimiter, args.delimiter)
    if args.existing:
        spec.existing_policy = _EXISTING[args.existing]
    if args.duplicates:
        spec.duplicate_policy = _DUPLICATE[args.duplicates]
    if args.header:
        spec.source.header = _HEADER[args.header]
    for text in args.map:
        column, _, field = text.rpartition("=")
        if not column or field not in _FIELDS:
            raise UsageError(f"--map {text}: write COLUMN=FIELD, where FIELD is one of {', '.join(_FIELDS)}")
        spec.mapping.add(column=column, field=_FIELDS[field])
    return spec
