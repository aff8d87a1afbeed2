"""Reading helper: a file as the client converts it, parsed again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from bossjy_client.config import ClientConfig
from bossjy_client.opening import path_document
from bossjy_client.read_options import ReaderLimits, ReadOptions
from bossjy_client.readers.registry import convert
from bossjy_client.tables import TableRows


def table_of(path: Path, limits: ReaderLimits | None = None, **options: Any) -> TableRows:
    """The table of a file that the client converts."""
    config = ClientConfig(reader_limits=limits or ReaderLimits())
    table = convert(path_document(path, config), ReadOptions(**options))
    assert table is not None
    return table


def is_sent_as_it_is(path: Path) -> bool:
    return convert(path_document(path), ReadOptions()) is None


def data_of(table: TableRows) -> bytes:
    """All sent bytes."""
    data = b"".join(table.pieces)
    table.release()
    return data


def rows_of(path: Path, limits: ReaderLimits | None = None, **options: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data_of(table_of(path, limits, **options)).decode())))


def records_of(path: Path, limits: ReaderLimits | None = None, **options: Any) -> list[Any]:
    """Lines of JSON; a line that is not JSON becomes its text."""
    found: list[Any] = []
    for line in data_of(table_of(path, limits, **options)).decode().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append(line)
    return found
