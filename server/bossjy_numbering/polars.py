"""Polars adapter: phone numbers of a DataFrame, a LazyFrame or an expression cleaned on Arrow arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import pyarrow as pa

from bossjy_numbering.cleaning import Cleaner, Options

if TYPE_CHECKING:
    import polars as pl

    Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def clean(frame: Frame, column: str = "phone_number", **options: Unpack[Options]) -> Frame:
    """The rows of a frame with the columns of answers; lazy if the frame is lazy. See `Cleaner`.

    A lazy frame is cleaned batch by batch by Polars' streaming engine: `sink_parquet`, `collect(engine="streaming")`.
    """
    import polars as pl  # noqa: PLC0415  # the caller has it

    cleaner = replace(Cleaner(column, **options), dictionaries=False)
    if isinstance(frame, pl.DataFrame):
        return _cleaned(cleaner, frame)
    given = frame.collect_schema()
    schema = dict(given) | dict(_cleaned(cleaner, given.to_frame(eager=True)).schema)
    return frame.map_batches(lambda part: _cleaned(cleaner, part), schema=schema, streamable=True)


def answers(texts: pl.Expr, **options: Unpack[Options]) -> pl.Expr:
    """An expression of structs with the fields `phone_e164`, `phone_valid` … for an expression of texts.

    The texts have no column for regions here: `region_column` is refused with ValueError.
    """
    import polars as pl  # noqa: PLC0415  # the caller has it

    if options.get("region_column") is not None:
        raise ValueError("an expression has one column: use default_region, or clean() for a column of regions")
    cleaner = replace(Cleaner("text", **options), dictionaries=False)

    def answered(series: pl.Series) -> pl.Series:
        frame = _cleaned(cleaner, series.alias("text").to_frame())
        return frame.drop("text").to_struct(series.name)

    schema = _cleaned(cleaner, pl.DataFrame({"text": []}, {"text": pl.String})).drop("text").schema
    return texts.map_batches(answered, return_dtype=pl.Struct(schema), is_elementwise=True)


def _cleaned(cleaner: Cleaner, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the added columns. Only the columns that are read are converted to Arrow."""
    import polars as pl  # noqa: PLC0415  # the caller has it

    used = [cleaner.column] + ([cleaner.region_column] if cleaner.region_column is not None else [])
    taken = [name for name in frame.columns if name in cleaner.added().names]
    # The names of all columns are checked, with the types of those that are read.
    read: Any = frame.select([name for name in frame.columns if name in {*used, *taken}])
    # Of the oldest level: texts with offsets, as they are read here, not views.
    table: pa.Table = read.to_arrow(compat_level=pl.CompatLevel.oldest())
    answered: Any = pl.from_arrow(cleaner.table(table).select(cleaner.added().names))
    return frame.hstack(answered.get_columns())
