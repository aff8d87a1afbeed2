"""Kinds of columns: the adapter for a caller's object. A library is imported only for an object of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bossjy_client.columns.column import Column, pays
from bossjy_client.errors import InvalidRequestError


def column_of(values: Any, regions: Any = None) -> Column:
    """The adapter for a column, and for the regions of its rows. Raises InvalidRequestError for another object."""
    library = type(values).__module__.partition(".")[0]
    if _has_columns(values):
        raise InvalidRequestError(f"{_named(values)} is a table: give one column of it, such as table['phone']")
    if library == "polars":
        from bossjy_client.columns.polars import PolarsColumn  # noqa: PLC0415 - needs the caller's library

        return PolarsColumn(values, regions)
    if library == "pandas":
        from bossjy_client.columns.arrow import PandasColumn  # noqa: PLC0415 - as above

        return PandasColumn(values, regions)
    if library == "pyarrow" or hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        from bossjy_client.columns.arrow import ArrowColumn  # noqa: PLC0415 - as above

        return ArrowColumn(values, regions)
    if library == "numpy":
        if getattr(values, "ndim", 0) != 1:
            raise InvalidRequestError(f"{_named(values)} has {values.ndim} dimensions: give one column of it")
    elif isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{_named(values)} is no column: give a list, a series of pandas or polars, a NumPy or Arrow array; "
            "`validate` is for one text"
        )
    return _of_texts(values, regions, in_numpy=library == "numpy")


def _of_texts(values: Any, regions: Any, *, in_numpy: bool) -> Column:
    """The adapter for Python texts: by Arrow if they are many and pyarrow is installed."""
    texts = values.tolist() if in_numpy else values if isinstance(values, list) else list(values)
    if pays(len(texts)):
        from bossjy_client.columns.lists import ListColumn, NumpyArrowColumn  # noqa: PLC0415 - needs pyarrow

        return NumpyArrowColumn(texts, regions) if in_numpy else ListColumn(texts, regions)
    from bossjy_client.columns.texts import NumpyColumn, TextColumn  # noqa: PLC0415 - only if it is used

    return NumpyColumn(texts, regions) if in_numpy else TextColumn(texts, regions)


def _has_columns(values: Any) -> bool:
    return hasattr(values, "columns") or (hasattr(values, "column_names") and hasattr(values, "num_rows"))


def _named(values: object) -> str:
    return f"the {type(values).__name__}"
