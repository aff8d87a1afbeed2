"""`bossjy import --mode interactive`: asks for the options, shows the file, tries the import and then runs it.

The answers become the options of a command line, so that the import can be repeated without questions.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from bossjy.common.v1 import error_reason_pb2
from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError, exit_code
from bossjy_client.cli.importing.ask import Ask
from bossjy_client.cli.importing.input import input_of
from bossjy_client.cli.importing.options import EXISTING, FIELDS, command_line, spec_of, split_mapping
from bossjy_client.cli.importing.preview import show_preview, show_sheet
from bossjy_client.cli.importing.run import run_import
from bossjy_client.cli.importing.summary import show_import
from bossjy_client.cli.messages import tr
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError, SourceError
from bossjy_client.import_advice import region_advice
from bossjy_client.tables import first_bytes, is_workbook
from bossjy_client.workbook import sheet_names

_GO = "go"
_CHANGES = ("region", "map", "header", "encoding", "delimiter", "quote", "sheet", "file")
# Additional repairs of an error, and the proposed answer.
_REPAIRS = {"PHONE_COLUMN_MISSING": ("phone",), "TOO_MANY_COLUMNS": ("drop",)}
_PROPOSALS = {
    "PHONE_COLUMN_MISSING": "phone",
    "TOO_MANY_COLUMNS": "drop",
    "MAPPING_INVALID": "map",
    "HEADER_ROW_INVALID": "header",
    "ENCODING_UNSUPPORTED": "encoding",
    "ROW_TOO_WIDE": "quote",
    "FORMAT_UNSUPPORTED": "file",
}
# Fields that several columns can have.
_REPEATED = frozenset({"other", "attribute", "ignore"})
# Rows of the file to show if there is no problem.
_SHEET_ROWS = 5

Preview: TypeAlias = import_service_pb2.PreviewImportResponse


async def run_wizard(session: Session, file: str) -> ExitCode:
    """Ask, show, try, import."""
    async with session.client() as client:
        wizard = _Wizard(session, client, file)
        try:
            return await wizard.run()
        except KeyboardInterrupt:
            session.output.note("")
            session.output.note(wizard.farewell())
            return ExitCode.INTERRUPTED


class _Wizard:
    def __init__(self, session: Session, client: Client, file: str) -> None:
        self._session = session
        self._output = session.output
        self._client = client
        self._ask = Ask(session.output.err)
        self._args: argparse.Namespace = session.args
        self._file = file
        self._imported = False

    def farewell(self) -> str:
        """The message when a user leaves before the end."""
        if self._imported:
            return tr("the import is done")
        if not self._file:
            return tr("nothing was imported")
        command = command_line(self._args, self._file)
        return tr("nothing was imported; the same without questions: {command}", command=command)

    async def run(self) -> ExitCode:
        self._choose_file()
        if not await self._settle():
            self._output.note(self.farewell())
            return ExitCode.DONE
        self._args.existing = self._ask.choice(
            tr("Existing contacts"), sorted(EXISTING), self._args.existing or "overwrite"
        )
        if self._ask.agreed(tr("Try it first, without keeping anything?"), default=True):
            trial = argparse.Namespace(**{**vars(self._args), "dry_run": True})
            show_import(self._output, await self._run(trial))
        if self._args.dry_run or not self._ask.agreed(tr("Import now?"), default=True):
            self._output.note(self.farewell())
            return ExitCode.DONE
        self._output.note(tr("the same without questions: {command}", command=command_line(self._args, self._file)))
        job = await self._run(self._args)
        self._imported = True
        return self._report(job)

    def _choose_file(self) -> None:
        while True:
            file = self._file or self._ask.text(tr("File"))
            try:
                head = first_bytes(Path(file))
                if is_workbook(head) and not self._args.sheet:
                    self._choose_sheet(file)
                input_of(self._args, file)
            except (SourceError, UsageError) as error:
                self._output.error(error)
                self._file = ""
                continue
            self._file = file
            return

    def _choose_sheet(self, file: str) -> None:
        names = sheet_names(Path(file))
        if len(names) > 1:
            self._args.sheet = self._ask.choice(tr("Sheet"), names, names[0])

    async def _settle(self) -> bool:
        """Show the result of the service for the file until it is right; False to leave."""
        while True:
            found, error = await self._preview()
            possible = found is not None and error is None
            choices = [*([_GO] if possible else []), *self._changes(error), "leave"]
            chosen = self._ask.choice(tr("Continue, or change something"), choices, self._proposal(found, error))
            if chosen == "leave":
                return False
            if chosen == _GO and found is not None:
                self._args.region = self._args.region or found.resolved.default_region
                self._args.yes = found.region_doubtful and self._args.region == found.import_region
                return True
            self._change(chosen, found, error)

    async def _preview(self) -> tuple[Preview | None, BossjyError | None]:
        """Show the file and the result of an import; the preview, and the error to repair."""
        try:
            given = input_of(self._args, self._file)
            spec = spec_of(self._args)
            given.describe(spec)
            sample, complete = given.sample()
            found = await self._client.imports.preview(sample, spec, complete=complete, partial=True)
        except BossjyError as error:
            if exit_code(error) not in {ExitCode.REFUSED, ExitCode.USAGE, ExitCode.SOURCE}:
                raise
            self._output.error(error)
            return None, error
        problem = _problem(found)
        show_sheet(self._output, found, _SHEET_ROWS if problem is None else len(found.sheet))
        if problem is not None:
            self._output.error(problem)
            return found, problem
        show_preview(self._output, found)
        if advice := region_advice(found, tr):
            self._output.note(advice)
        return found, None

    @staticmethod
    def _changes(error: BossjyError | None) -> list[str]:
        """The possible changes, the repair of the error first."""
        reason = error.reason if error is not None else ""
        return [*_REPAIRS.get(reason, ()), *_CHANGES]

    def _proposal(self, found: Preview | None, error: BossjyError | None) -> str:
        """The answer that is likely right."""
        if error is not None:
            return _PROPOSALS.get(error.reason, "leave")
        # If the user gave no region, propose the likely one.
        unclear = found is not None and found.region_doubtful
        if unclear and found is not None and (found.import_region or found.equally_likely_regions):
            return "region"
        return _GO

    def _change(self, what: str, found: Preview | None, error: BossjyError | None) -> None:
        try:
            match what:
                case "map":
                    self._output.note(tr("fields: {names}", names=", ".join(FIELDS)))
                    self._map(self._ask.text(tr("FIELD=COLUMN, the column by its name or number")), found)
                case "phone":
                    likely = error.metadata.get("phone_column", "") if error is not None else ""
                    column = self._ask.text(tr("Column of the phone number, by name or number"), likely)
                    self._map(f"phone={column}", found)
                case "header":
                    self._choose_header(found)
                case "drop":
                    self._args.drop_unknown = True
                case "sheet":
                    self._choose_sheet(self._file)
                case "file":
                    self._file, self._args.sheet = "", ""
                    self._choose_file()
                case _:
                    self._change_text(what, found, error)
        except (SourceError, UsageError) as wrong:
            self._output.error(wrong)

    def _map(self, text: str, found: Preview | None) -> None:
        """Apply a mapping. It replaces another one of its column, or of its field if that can have only one column."""
        field, column = split_mapping(text)
        names = [one.column for one in found.columns] if found is not None else []
        if column not in names and column.isdecimal() and 0 < int(column) <= len(names):
            column = names[int(column) - 1]
        former = [split_mapping(one) for one in self._args.map]
        kept = [one for one in former if one[1] != column and (one[0] != field or field in _REPEATED)]
        self._args.map = ["=".join(one) for one in [*kept, (field, column)]]

    def _choose_header(self, found: Preview | None) -> None:
        line = found.resolved.source.header_row if found is not None else 0
        text = self._ask.text(tr("Line that names the columns; 0 if none does"), str(line or 1))
        if not (text.isascii() and text.isdecimal()):
            raise UsageError(tr("{text}: give the number of a line", text=text))
        self._args.header_row = int(text)
        self._args.header = None if int(text) else "absent"
        self._args.skip_rows = self._args.skip_rows if self._args.skip_rows < int(text) else 0

    def _change_text(self, what: str, found: Preview | None, error: BossjyError | None) -> None:
        question = {
            "region": tr("Region, such as CN"),
            "encoding": tr("Encoding, such as gb18030"),
            "delimiter": tr("Delimiter"),
            "quote": tr("Quote, one character, or none"),
        }
        default = getattr(self._args, what)
        if what == "region" and found is not None and found.region_doubtful:
            default = found.likely_region
        elif what == "encoding" and error is not None and not default:
            default = error.metadata.get("candidates", "").partition(",")[0]
        setattr(self._args, what, self._ask.text(question[what], default))
        if what == "quote":
            escape = self._ask.text(tr("Escape, one character such as \\, or none"), self._args.escape or "none")
            self._args.escape = "" if escape == "none" else escape

    async def _run(self, args: argparse.Namespace) -> import_pb2.Import:
        given = input_of(args, self._file)
        seen = argparse.Namespace(**{**vars(args), "yes": True})  # the user has seen the region
        return await run_import(self._session, self._client, seen, given, spec_of(args))

    def _report(self, job: import_pb2.Import) -> ExitCode:
        show_import(self._output, job)
        if job.counts.rejected:
            self._output.note(
                tr(
                    "rejected rows, to correct and import: bossjy imports rejects {import_id} -o rejects.csv",
                    import_id=job.import_id,
                )
            )
        if job.counts.duplicate:
            self._output.note(tr("duplicate rows: bossjy imports duplicates {import_id}", import_id=job.import_id))
        self._output.note(tr("to revert it: bossjy imports revert {import_id}", import_id=job.import_id))
        if job.state != import_pb2.IMPORT_STATE_SUCCEEDED:
            return ExitCode.REFUSED
        return ExitCode.FINDINGS if job.counts.rejected and not self._args.rejects_are_fine else ExitCode.DONE


def _problem(found: Preview) -> BossjyError | None:
    """The problem that prevents an import with these options."""
    if not found.HasField("problem"):
        return None
    reason = error_reason_pb2.ErrorReason.Name(found.problem.reason).removeprefix("ERROR_REASON_")
    return BossjyError(found.problem.message, reason=reason, metadata=found.problem.metadata)
