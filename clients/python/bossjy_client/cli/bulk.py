"""`bossjy phone bulk`: a file of numbers, one a line, checked by a stream."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import TextIO

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.files import write_file
from bossjy_client.cli.output import enum_word
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.errors import SourceError
from bossjy_client.phone_stream import BATCH_TEXTS

_HEADER = ("text", "valid", "e164", "region", "type", "reason")
_COLUMNS = ("valid", "e164", "region", "type", "reason")
_TYPES = {number: enum_word(name, "NUMBER_TYPE_") for name, number in number_pb2.NumberType.items()} | {0: ""}
_REASONS = {number: enum_word(name, "INVALID_REASON_") for name, number in number_pb2.InvalidReason.items()} | {0: ""}


async def run_bulk(session: Session) -> ExitCode:
    """Write a row for each line of the file; 6 if not all are valid."""
    args = session.args
    bulk = _Bulk(session)
    started = time.monotonic()
    async with session.client() as client:
        with _opened(args.file) as file:
            await write_file(bulk.pieces(client, file), args.output)
    elapsed = time.monotonic() - started
    session.output.note(
        f"{bulk.count:,} numbers, {bulk.valid:,} valid, {bulk.count / max(elapsed, 1e-3):,.0f} numbers/s"
    )
    return ExitCode.DONE if bulk.valid == bulk.count else ExitCode.FINDINGS


def _opened(name: str) -> TextIO:
    try:
        descriptor: str | int = sys.stdin.fileno() if name == "-" else name
        return open(descriptor, encoding="utf-8-sig", errors="replace", newline=None, closefd=name != "-")
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from error


class _Bulk:
    def __init__(self, session: Session) -> None:
        self._args = session.args
        self._as_json = session.output.as_json
        self.count = 0
        self.valid = 0

    async def pieces(self, client: Client, file: TextIO) -> AsyncIterator[bytes]:
        """The bytes that are written: a CSV file, or a JSON object a line."""
        if not self._as_json:
            yield (",".join(_HEADER) + "\n").encode()
        answers = client.phone.validate_stream(_batches(file), self._args.region, columns=_COLUMNS)
        async for texts, answer in answers:
            self.count += len(texts)
            self.valid += answer.valid_count
            rows = _rows(texts, answer.columns)
            yield _json_lines(rows) if self._as_json else _csv_lines(rows)


async def _batches(file: TextIO) -> AsyncIterator[Sequence[str]]:
    while texts := await asyncio.to_thread(lambda: [line.rstrip("\n") for line in islice(file, BATCH_TEXTS)]):
        yield texts


def _rows(texts: Sequence[str], columns: phone_service_pb2.NumberColumns) -> list[tuple[str, bool, str, str, str, str]]:
    regions = columns.region_codes
    return [
        (text, valid, e164, regions[region], _TYPES[kind], _REASONS[reason])
        for text, valid, e164, region, kind, reason in zip(
            texts, columns.valid, columns.e164, columns.region, columns.type, columns.reason, strict=True
        )
    ]


def _csv_lines(rows: Sequence[tuple[str, bool, str, str, str, str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        (text, "yes" if valid else "no", *rest) for text, valid, *rest in rows
    )
    return out.getvalue().encode()


def _json_lines(rows: Sequence[tuple[str, bool, str, str, str, str]]) -> bytes:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return "".join(encode(dict(zip(_HEADER, row, strict=True))) + "\n" for row in rows).encode()
