"""DuckDB adapter: phone numbers of a query cleaned as a stream of Arrow batches, or by a function in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow as pa

from bossjy_numbering.cleaning import Cleaner, Options

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

BATCH_ROWS = 100_000
# DuckDB's names of the types of answers.
_SQL = {"string": "VARCHAR", "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int64": "BIGINT"}


def clean(
    connection: DuckDBPyConnection, query: str, column: str = "phone_number", **options: Unpack[Options]
) -> DuckDBPyRelation:
    """The rows of a query with the columns of answers, as a relation. See `Cleaner` for the options and errors.

    The rows pass through once: read the relation once (`to_parquet`, `create`), then query the result.
    """
    # A connection has one open result; its cursor is a connection to the same database.
    reader = connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS)
    return connection.from_arrow(Cleaner(column, **options).reader(reader))


def register(connection: DuckDBPyConnection, name: str = "clean_phone", **options: Unpack[Options]) -> None:
    """Adds the function `name(text, region)` to SQL: a struct with the fields e164, valid and so on.

    `region`: the default region of the row, or NULL. Slower than `clean`, which converts fewer columns.
    ValueError if a region is also given as an option.
    """
    if options.get("default_region") is not None or options.get("region_column") is not None:
        raise ValueError("the region is the second argument of the function in SQL")
    cleaner = replace(Cleaner("text", **options), prefix="", dictionaries=False)
    fields = cleaner.added()

    # DuckDB evaluates the annotations.
    def answered(texts: Any, regions: Any) -> Any:
        table = pa.Table.from_arrays([texts, regions.cast(pa.string())], ["text", "default_region"])
        (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
        arrays = cleaner.answers(batch.column("text"), batch.column("default_region"))
        return pa.StructArray.from_arrays(arrays, fields=list(fields))

    kinds = ", ".join(f"{field.name} {_SQL[str(field.type)]}" for field in fields)
    returned: Any = f"STRUCT({kinds})"
    mode: Any = {"type": "arrow", "null_handling": "special"}
    connection.create_function(name, answered, ["VARCHAR", "VARCHAR"], returned, **mode)
