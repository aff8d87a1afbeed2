"""`bossjy import --mode interactive`: what is to be done is asked, shown, tried and then done.

The answers become the options of the command line, so that the same can be done again without questions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.ask import Ask
from bossjy_client.cli.exit_codes import ExitCode, UsageError, exit_code
from bossjy_client.cli.import_input import open_input
from bossjy_client.cli.import_options import EXISTING, FIELDS, command_line, spec_of, split_mapping
from bossjy_client.cli.import_run import run_import
from bossjy_client.cli.preview import show_preview
from bossjy_client.cli.session import Session
from bossjy_client.cli.summary import show_import
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError, SourceError
from bossjy_client.tables import first_bytes, is_workbook
from bossjy_client.workbook import sheet_names

_GO = "go"
_QUESTIONS = {
    "region": "Region of numbers without a calling code, such as CN",
    "encoding": "Encoding, such as gb18030",
    "delimiter": "Delimiter, one character, or tab",
}
_CHANGES = ("region", "map", "encoding", "delimiter", "header", "sheet")


async def run_wizard(session: Session, file: str) -> ExitCode:
    """Ask, show, try, do."""
    async with session.client() as client:
        wizard = _Wizard(session, client, file)
        try:
            return await wizard.run()
        except KeyboardInterrupt:
            session.output.err.print()
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
        """What is said when somebody leaves before the end."""
        if self._imported:
            return "the import is done"
        if not self._file:
            return "nothing was imported"
        return f"nothing was imported; the same without questions: {command_line(self._args, self._file)}"

    async def run(self) -> ExitCode:
        self._choose_file()
        if not await self._settle():
            self._output.note(self.farewell())
            return ExitCode.DONE
        self._args.existing = self._ask.choice(
            "Contacts that are there already", sorted(EXISTING), self._args.existing or "overwrite"
        )
        if self._ask.agreed("Try it first, without keeping anything?", default=True):
            trial = argparse.Namespace(**{**vars(self._args), "dry_run": True})
            show_import(self._output, await self._run(trial))
        if self._args.dry_run or not self._ask.agreed("Import now?", default=True):
            self._output.note(self.farewell())
            return ExitCode.DONE
        self._output.note(f"the same without questions: {command_line(self._args, self._file)}")
        job = await self._run(self._args)
        self._imported = True
        return self._report(job)

    def _choose_file(self) -> None:
        while True:
            file = self._file or self._ask.text("File")
            try:
                head = first_bytes(Path(file))
                if is_workbook(head) and not self._args.sheet:
                    self._choose_sheet(file)
                open_input(file, self._args.sheet)
            except (SourceError, UsageError) as error:
                self._output.error(error)
                self._file = ""
                continue
            self._file = file
            return

    def _choose_sheet(self, file: str) -> None:
        names = sheet_names(Path(file))
        if len(names) > 1:
            self._args.sheet = self._ask.choice("Sheet", names, names[0])

    async def _settle(self) -> bool:
        """Show what the service makes of the file until that is right; False to leave it."""
        while True:
            region: str | None = None
            try:
                region = await self._preview()
            except BossjyError as error:
                if exit_code(error) is not ExitCode.REFUSED:
                    raise
                self._output.error(error)
            choices = [_GO] * (region is not None) + [*_CHANGES, "leave"]
            default = "leave" if region is None else _GO
            chosen = self._ask.choice("Go on, or change something", choices, default)
            if chosen == "leave":
                return False
            if chosen == _GO:
                self._args.region = self._args.region or region
                return True
            self._change(chosen)

    async def _preview(self) -> str:
        """Show the preview; the region that it supposes."""
        given = open_input(self._file, self._args.sheet)
        spec = spec_of(self._args)
        given.describe(spec)
        sample, complete = given.sample()
        preview = await self._client.imports.preview(sample, spec, complete=complete)
        show_preview(self._output, preview)
        return preview.resolved.default_region

    def _change(self, what: str) -> None:
        if what == "map":
            text = self._ask.text(f"FIELD=COLUMN with one of {', '.join(FIELDS)}")
            try:
                _, column = split_mapping(text)
            except UsageError as error:
                self._output.error(error)
                return
            others = [one for one in self._args.map if split_mapping(one)[1] != column]
            self._args.map = [*others, text]
        elif what == "header":
            self._args.header = self._ask.choice(
                "Does the first row name the columns?", ("present", "absent"), "present"
            )
        elif what == "sheet":
            self._change_sheet()
        else:
            question = {
                "region": "Region, such as CN",
                "encoding": "Encoding, such as gb18030",
                "delimiter": "Delimiter",
            }
            setattr(self._args, what, self._ask.text(question[what], getattr(self._args, what)))

    def _change_sheet(self) -> None:
        try:
            self._choose_sheet(self._file)
        except SourceError as error:
            self._output.error(error)

    async def _run(self, args: argparse.Namespace) -> import_pb2.Import:
        given = open_input(self._file, args.sheet)
        return await run_import(self._session, self._client, args, given, spec_of(args))

    def _report(self, job: import_pb2.Import) -> ExitCode:
        show_import(self._output, job)
        if job.counts.rejected:
            self._output.note(
                f"refused rows, to correct and import: bossjy imports rejects {job.import_id} -o rejects.csv"
            )
        if job.counts.duplicate:
            self._output.note(f"rows that lost: bossjy imports duplicates {job.import_id}")
        self._output.note(f"to take it back: bossjy imports revert {job.import_id}")
        if job.state != import_pb2.IMPORT_STATE_SUCCEEDED:
            return ExitCode.REFUSED
        return ExitCode.FINDINGS if job.counts.rejected and not self._args.rejects_are_fine else ExitCode.DONE
