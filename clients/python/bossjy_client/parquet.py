"""A Parquet file as CSV, batch by batch: memory is that of a few batches, whatever the size of the file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bossjy_client.errors import SourceError
from bossjy_client.tables import TableRows, csv_lines

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_ROWS_AT_ONCE = 8192
_EXACT_BELOW = 1e15  # as in a spreadsheet: see `tables`


def read_parquet(path: Path) -> TableRows:
    """The columns of the file as text, named by a header; lists and records are JSON. Raises SourceError."""
    import pyarrow as pa  # noqa: PLC0415 - takes a moment, and most runs read no Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: it cannot be read as Parquet: {error}") from error
    return TableRows(path.name, file.metadata.num_rows, True, _pieces(path, file))


def _pieces(path: Path, file: pq.ParquetFile) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - as above
    from pyarrow import csv  # noqa: PLC0415

    yield csv_lines([file.schema_arrow.names])
    options = csv.WriteOptions(include_header=False)
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
            columns = [_text(column) for column in batch.columns]
            out = io.BytesIO()
            csv.write_csv(pa.record_batch(columns, names=batch.schema.names), out, options)
            yield out.getvalue()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: it cannot be read to its end: {error}") from error


def _json(value: object) -> str:
    """A list or record; nothing for one that is empty. Values that JSON does not have are their text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str) if value else ""


def _text(column: Any) -> Any:
    """The values as text: whole numbers without a point, nulls and NaN empty, no line ends."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415

    if pa.types.is_nested(column.type):
        is_map = pa.types.is_map(column.type)
        return pa.array(
            [_json(dict(value) if is_map and value else value) for value in column.to_pylist()], pa.string()
        )
    compute: Any = pc  # its stubs know no arrays of numbers
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
        column = compute.if_else(compute.is_nan(column), None, column)
        whole = compute.and_(
            compute.equal(compute.floor(column), column), compute.less(compute.abs(column), _EXACT_BELOW)
        )
        digits = compute.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
        text = compute.coalesce(digits, column.cast(pa.string()))
    else:
        text = column.cast(pa.string())
    return compute.replace_substring_regex(compute.fill_null(text, ""), "[\r\n]+", " ")
