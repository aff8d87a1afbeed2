"""Parquet, ORC and Arrow files as CSV, batch by batch: memory for a few batches, whatever the size of the file.

Arrow files that the service can read go to it unchanged: plain ones whose columns are text, numbers, dates, and lists
and maps of those. The client converts compressed ones (Feather) and those with other columns.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.parts import PART_LIMIT
from bossjy_client.read_options import ReaderLimits, ReadOptions
from bossjy_client.readers.arrow_message import first_batch
from bossjy_client.readers.document import Document
from bossjy_client.tables import EXACT_BELOW, TableRows, csv_lines

_ROWS_AT_ONCE = 8192
# The service rejects larger ones.
_MOST_BATCH_BYTES = 64 * 1024 * 1024


def is_parquet(document: Document) -> bool:
    """True if the document is Parquet."""
    return document.head.startswith(b"PAR1")


def read_parquet(document: Document, _options: ReadOptions, part: tuple[int, int] | None = None) -> TableRows:
    """The columns of the file as text, named by a header; lists and records are JSON. Raises SourceError.

    `part`: only these row groups; a part after the first has no header.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a moment, and most runs read none of these
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = document.file()
    try:
        file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
        rows = file.metadata.num_rows
        groups = list(range(*(part or (0, file.num_row_groups))))
        batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, row_groups=groups, use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{document.label}: it cannot be read as Parquet: {error}") from error
    table = table_of(document, file.schema_arrow, batches, rows, header=part is None or part[0] == 0)
    return replace(table, has_parts=file.num_row_groups > 1)


def parquet_parts(document: Document, parts: int) -> list[tuple[int, int]]:
    """Ranges of row groups, at most `parts`, that are the whole file. Raises SourceError."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        groups = pq.ParquetFile(document.file(), memory_map=True).num_row_groups
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{document.label}: it cannot be read as Parquet: {error}") from error
    many = max(1, min(parts, groups, PART_LIMIT))
    return [(groups * number // many, groups * (number + 1) // many) for number in range(many)]


def is_orc(document: Document) -> bool:
    """True if the document is ORC."""
    return document.head.startswith(b"ORC")


def read_orc(document: Document, _options: ReadOptions) -> TableRows:
    """Like Parquet. A stripe is in memory. Raises SourceError."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    from pyarrow import orc  # noqa: PLC0415

    path = document.file()
    try:
        file = orc.ORCFile(path)
        batches = (file.read_stripe(number) for number in range(file.nstripes))
        return table_of(document, file.schema, batches, file.nrows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{document.label}: it cannot be read as ORC: {error}") from error


def is_special_arrow(document: Document) -> bool:
    """True if the document is Arrow that the service does not read unchanged."""
    head = document.head
    if head.startswith(b"FEA1"):
        return True
    if head.startswith(b"ARROW1"):
        head = head[8:]
    elif not head.startswith(b"\xff\xff\xff\xff"):
        return False
    return not _is_plain(head)


def read_arrow(document: Document, _options: ReadOptions) -> TableRows:
    """Like Parquet, from an Arrow stream or file, or Feather of version 1. Raises SourceError."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    from pyarrow import feather, ipc  # noqa: PLC0415

    path = str(document.file())
    try:
        if document.head.startswith(b"FEA1"):
            table = feather.read_table(path)
            return table_of(document, table.schema, table.to_batches(_ROWS_AT_ONCE), table.num_rows)
        if document.head.startswith(b"ARROW1"):
            file = ipc.open_file(pa.memory_map(path))
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            return table_of(document, file.schema, batches, None)
        stream = ipc.open_stream(pa.OSFile(path, "rb"))
        return table_of(document, stream.schema, stream, None)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{document.label}: it cannot be read as Arrow: {error}") from error


def table_of(
    document: Document, schema: Any, batches: Iterable[Any], row_count: int | None, *, header: bool = True
) -> TableRows:
    """The record batches as CSV. Raises SourceError for columns beyond the limits."""
    if len(schema) > document.limits.columns:
        raise SourceError(f"{document.label}: it has more than {document.limits.columns:,} columns (columns)")
    names = [str(name) for name in schema.names]
    left_out = [name for name, field in zip(names, schema, strict=True) if _is_binary(field.type)]
    note = f"columns of bytes are left out: {', '.join(left_out[:10])}" if left_out else ""
    pieces = csv_of_batches(document.label, names, batches, document.limits, header=header)
    return TableRows(document.name, row_count, True, pieces, note=note, release=document.close)


def csv_of_batches(
    label: str, names: list[str], batches: Iterable[Any], limits: ReaderLimits, *, header: bool = True
) -> Iterator[bytes]:
    """Header and rows. Raises SourceError if a batch cannot be read, and for cells beyond the limits."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    compute: Any = pc
    options = csv.WriteOptions(include_header=False)
    numbers = [str(place) for place in range(len(names))]
    kept: list[int] | None = None
    try:
        for whole in batches:
            whole.validate(full=True)  # offsets of a damaged file may point outside of it
            if kept is None:
                kept = [place for place, field in enumerate(whole.schema) if not _is_binary(field.type)]
                if header:
                    yield csv_lines([[names[place] for place in kept]])
            for start in range(0, whole.num_rows, _ROWS_AT_ONCE):
                batch = whole.slice(start, _ROWS_AT_ONCE)
                columns = [as_text(batch.column(place)) for place in kept]
                for place, column in zip(kept, columns, strict=True):
                    longest = compute.max(compute.utf8_length(column)).as_py() or 0
                    if longest > limits.cell_characters:
                        raise SourceError(
                            f"{label}: column `{names[place]}` has a cell of more than {limits.cell_characters:,} "
                            "characters (cell_characters)"
                        )
                out = io.BytesIO()
                csv.write_csv(pa.table(columns, names=numbers[: len(columns)]), out, options)
                yield out.getvalue()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{label}: it cannot be read to its end: {error}") from error
    if kept is None and header:
        yield csv_lines([names])


def as_text(column: Any) -> Any:
    """The values as text: whole numbers without a point, nulls and NaN empty, no line ends."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415

    compute: Any = pc  # its stubs know no arrays of numbers
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage if isinstance(column, pa.ExtensionArray) else column.cast(column.type.storage_type)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        values = column.dictionary
        if pa.types.is_string_view(values.type):  # Arrow decodes no dictionary of views
            values = values.cast(pa.large_string())
        column = pa.DictionaryArray.from_arrays(column.indices, values).dictionary_decode()
    kind = column.type
    if pa.types.is_nested(kind) or _is_binary(kind) or pa.types.is_interval(kind):
        is_map = pa.types.is_map(kind)
        values = [_json(dict(value) if is_map and value else value) for value in column.to_pylist()]
        column = pa.array(values, pa.large_string())
    elif pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        column = compute.if_else(compute.is_nan(column), None, column)
        whole = compute.and_(
            compute.equal(compute.floor(column), column), compute.less(compute.abs(column), float(EXACT_BELOW))
        )
        digits = compute.if_else(whole, column, None).cast(pa.int64()).cast(pa.large_string())
        column = compute.coalesce(digits, column.cast(pa.large_string()))
    else:
        column = column.cast(pa.large_string())
        if pa.types.is_decimal(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind):
            # A fraction of zeros, before a time zone.
            column = compute.replace_substring_regex(column, r"\.0+(Z|[+-][\d:]+)?$", r"\1")
    return compute.replace_substring_regex(compute.fill_null(column, ""), "[\r\n]+", " ")


def _json(value: object) -> str:
    """A list or record; empty text for an empty one. Values that JSON does not have become text."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - as above

    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _is_plain(head: bytes) -> bool:
    """True if the service reads a stream unchanged: plain columns, and a plain first batch that is not too large."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    from pyarrow import ipc  # noqa: PLC0415

    try:
        size = 8 + int.from_bytes(head[4:8], "little")
        schema = ipc.read_schema(pa.py_buffer(head[:size]))
        compressed, body = first_batch(head[size:])
    except (pa.ArrowException, OSError, EOFError, ValueError, struct.error):
        return True  # the service reports the error
    return all(_service_reads(field.type) for field in schema) and not compressed and body <= _MOST_BATCH_BYTES


def _service_reads(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - as above

    types = pa.types
    if types.is_dictionary(kind):
        return not types.is_string_view(kind.value_type) and _service_reads(kind.value_type)
    if types.is_map(kind):
        return _service_reads(kind.key_type) and _is_value(kind.item_type)
    if types.is_list(kind) or types.is_large_list(kind):
        return _is_value(kind.value_type)
    return _is_value(kind) or bool(
        types.is_string_view(kind) or types.is_null(kind) or types.is_decimal(kind)
        or types.is_date(kind) or types.is_time(kind) or types.is_timestamp(kind)
    )  # fmt: skip


def _is_value(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - as above

    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind) or types.is_integer(kind)
        or types.is_floating(kind)
    )  # fmt: skip
