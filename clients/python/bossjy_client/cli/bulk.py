"""`bossjy phone bulk`: validation of a file of numbers, one a line or in a column of a CSV file, by a stream."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TextIO

from bossjy.phone.v1 import phone_service_pb2
from bossjy_client.cli.bulk_input import opened
from bossjy_client.cli.bulk_table import BulkTable, Row, read_table
from bossjy_client.cli.bulk_where import every_row, parse_where
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.files import write_file
from bossjy_client.cli.importing.progress_lines import EVERY_S
from bossjy_client.cli.messages import tr
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.columns.texts import columns_of

_RESULTS = ("valid", "e164", "region", "type", "reason", "extension", "warnings")
# Before the name of a result that the file has as well.
_PREFIX = "number_"


async def run_bulk(session: Session) -> ExitCode:
    """Write a row for each row of the file, or those that pass `--where`. Returns 6 if not all are valid."""
    args = session.args
    started = time.monotonic()
    with opened(args.file) as file:
        bulk = _Bulk(session, file)  # a wrong option is reported before a connection
        async with session.client() as client:
            await write_file(bulk.pieces(client), args.output)
    elapsed = time.monotonic() - started
    written = tr("{count:,} written, ", count=bulk.written) if args.where else ""
    session.output.note(
        tr(
            "{count:,} numbers, {valid:,} valid, {written}{rate:,.0f} numbers/s",
            count=bulk.count,
            valid=bulk.valid,
            written=written,
            rate=bulk.count / max(elapsed, 0.001),
        )
    )
    return ExitCode.DONE if bulk.valid == bulk.count else ExitCode.FINDINGS


class _Bulk:
    def __init__(self, session: Session, file: TextIO) -> None:
        self._region: str = session.args.region
        self._as_json = session.output.as_json
        self._table: BulkTable = read_table(file, session.args.column)
        own = self._table.header
        self._header = [*own, *(f"{_PREFIX}{name}" if name in own else name for name in _RESULTS)]
        self._where = parse_where(session.args.where, self._header) if session.args.where else every_row
        self._filters = bool(session.args.where)
        self._rows: deque[list[Row]] = deque()  # of the unanswered batches
        self._output = session.output
        # Lines between results would disturb a person who reads them on the terminal.
        self._shows_progress = session.args.output != "-" or not sys.stderr.isatty()
        self._last = time.monotonic()
        self.count = self.valid = self.written = 0

    async def pieces(self, client: Client) -> AsyncIterator[bytes]:
        """The bytes to write: a CSV file, or a JSON object a line."""
        if not self._as_json:
            yield _csv_lines([self._header])
        async for texts, answer in client.phone.validate_stream(self._batches(), self._region, columns=_RESULTS):
            self.count += len(texts)
            self.valid += answer.valid_count
            self._show_progress()
            rows = [row for row in self._answered(self._rows.popleft(), answer) if self._passes(row)]
            self.written += len(rows)
            if rows:
                yield self._json_lines(rows) if self._as_json else _csv_lines([_shown(row) for row in rows])

    def _show_progress(self) -> None:
        """A line every few seconds."""
        now = time.monotonic()
        if self._shows_progress and now - self._last >= EVERY_S:
            self._last = now
            self._output.note(tr("{count:,} numbers, {valid:,} valid", count=self.count, valid=self.valid))

    async def _batches(self) -> AsyncIterator[Sequence[str]]:
        batches = self._table.batches()
        while batch := await asyncio.to_thread(next, batches, None):
            self._rows.append(batch)
            yield self._table.texts(batch)

    def _answered(
        self, rows: Sequence[Row], answer: phone_service_pb2.StreamValidateNumbersResponse
    ) -> Iterator[list[str | bool]]:
        columns = columns_of([answer], _RESULTS)
        for row, results in zip(rows, zip(*columns.values(), strict=True), strict=True):
            yield [*row, *results]

    def _passes(self, row: Sequence[str | bool]) -> bool:
        return not self._filters or self._where(dict(zip(self._header, _shown(row), strict=True)))

    def _json_lines(self, rows: Sequence[Sequence[str | bool]]) -> bytes:
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        return "".join(encode(dict(zip(self._header, row, strict=True))) + "\n" for row in rows).encode()


def _shown(row: Sequence[str | bool]) -> list[str]:
    return [cell if isinstance(cell, str) else "yes" if cell else "no" for cell in row]


def _csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
