"""Spark adapter: phone numbers of a DataFrame cleaned in the executors by `mapInArrow`.

Every executor needs `bossjy-numbering[arrow]`. Works on classic Spark and on Spark Connect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from bossjy_numbering.cleaning import Cleaner, Options

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def clean(frame: DataFrame, column: str = "phone_number", **options: Unpack[Options]) -> DataFrame:
    """The rows of a DataFrame with the columns of answers. See `Cleaner` for the options and errors.

    `dictionaries` has no effect: Spark has no such type. For less cost per row, set
    `spark.sql.execution.arrow.maxRecordsPerBatch` to 100000.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema  # noqa: PLC0415  # Spark's user has it
    from pyspark.sql.types import StructType  # noqa: PLC0415

    cleaner = replace(Cleaner(column, **options), dictionaries=False)
    # Refuses wrong columns here, before a job starts.
    cleaner.schema(to_arrow_schema(frame.select(*_used(cleaner, frame.columns)).schema))
    added: Any = from_arrow_schema(cleaner.added())
    return frame.mapInArrow(cleaner.batches, StructType([*frame.schema.fields, *added.fields]))


def _used(cleaner: Cleaner, columns: list[str]) -> list[str]:
    """The columns that the check is about; other columns can have types that only Spark has."""
    about = {cleaner.column, cleaner.region_column, *cleaner.added().names}
    return [f"`{name}`" for name in columns if name in about]
