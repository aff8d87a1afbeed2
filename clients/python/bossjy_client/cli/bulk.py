"""`bossjy phone bulk`: validation of a file of numbers, one a line, by a stream."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TextIO, TypeAlias

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_client.cli.bulk_input import opened, read_line
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.files import write_file
from bossjy_client.cli.output import enum_word
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.columns.column import TEXT_MAX, warning_words
from bossjy_client.phone_stream import BATCH_TEXTS

_HEADER = ("text", "valid", "e164", "region", "type", "reason", "extension", "warnings")
_COLUMNS = ("valid", "e164", "region", "type", "reason", "extension", "warnings")
_TYPES = {number: enum_word(name, "NUMBER_TYPE_") for name, number in number_pb2.NumberType.items()} | {0: ""}
_REASONS = {number: enum_word(name, "INVALID_REASON_") for name, number in number_pb2.InvalidReason.items()} | {0: ""}
# Bytes of the texts of one message: a request has at most 4 MiB.
_BATCH_BYTES = 1024 * 1024
_Row: TypeAlias = tuple[str, bool, str, str, str, str, str, str]


async def run_bulk(session: Session) -> ExitCode:
    """Write a row for each line of the file. Returns 6 if not all are valid."""
    args = session.args
    bulk = _Bulk(session)
    started = time.monotonic()
    async with session.client() as client:
        with opened(args.file) as file:
            await write_file(bulk.pieces(client, file), args.output)
    elapsed = time.monotonic() - started
    session.output.note(
        f"{bulk.count:,} numbers, {bulk.valid:,} valid, {bulk.count / max(elapsed, 1e-3):,.0f} numbers/s"
    )
    return ExitCode.DONE if bulk.valid == bulk.count else ExitCode.FINDINGS


class _Bulk:
    def __init__(self, session: Session) -> None:
        self._args = session.args
        self._as_json = session.output.as_json
        self._lines: deque[list[str]] = deque()  # of the unanswered batches
        self.count = 0
        self.valid = 0

    async def pieces(self, client: Client, file: TextIO) -> AsyncIterator[bytes]:
        """The bytes to write: a CSV file, or a JSON object a line."""
        if not self._as_json:
            yield (",".join(_HEADER) + "\n").encode()
        answers = client.phone.validate_stream(self._batches(file), self._args.region, columns=_COLUMNS)
        async for texts, answer in answers:
            self.count += len(texts)
            self.valid += answer.valid_count
            rows = _rows(self._lines.popleft(), answer.columns)
            yield _json_lines(rows) if self._as_json else _csv_lines(rows)

    async def _batches(self, file: TextIO) -> AsyncIterator[Sequence[str]]:
        lines = batches(file)
        while batch := await asyncio.to_thread(next, lines, None):
            self._lines.append(batch)
            yield [line[:TEXT_MAX] for line in batch]


def batches(file: TextIO) -> Iterator[list[str]]:
    """The lines of a file in batches of one message each. Raises SourceError for a line that is too long."""
    lines: list[str] = []
    size = count = 0
    while (line := read_line(file, count + 1)) is not None:
        sent = line[:TEXT_MAX]
        length = len(sent) if sent.isascii() else 4 * len(sent)
        if lines and (len(lines) == BATCH_TEXTS or size + length > _BATCH_BYTES):
            yield lines
            lines, size = [], 0
        lines.append(line)
        size += length
        count += 1
    if lines:
        yield lines


def _rows(texts: Sequence[str], columns: phone_service_pb2.NumberColumns) -> list[_Row]:
    regions, nothing = columns.region_codes, [""] * len(texts)
    warnings = [warning_words(mask) for mask in columns.warnings] or nothing
    return [
        (text, valid, e164, regions[region], _TYPES[kind], _REASONS[reason], extension, warning)
        for text, valid, e164, region, kind, reason, extension, warning in zip(
            texts,
            columns.valid,
            columns.e164,
            columns.region,
            columns.type,
            columns.reason,
            columns.extension or nothing,
            warnings,
            strict=True,
        )
    ]


def _csv_lines(rows: Sequence[_Row]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        (text, "yes" if valid else "no", *rest) for text, valid, *rest in rows
    )
    return out.getvalue().encode()


def _json_lines(rows: Sequence[_Row]) -> bytes:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return "".join(encode(dict(zip(_HEADER, row, strict=True))) + "\n" for row in rows).encode()
