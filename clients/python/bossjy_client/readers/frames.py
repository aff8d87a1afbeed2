"""Data frames and Arrow tables as CSV: pandas, polars and all with Arrow's C interface. None of them is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits
from bossjy_client.readers.columnar import csv_of_batches
from bossjy_client.readers.flat import plain
from bossjy_client.tables import TableRows

_ROWS_AT_ONCE = 65_536


def frame_table(source: Any, limits: ReaderLimits) -> TableRows | None:
    """The rows of a frame; None for other objects. Raises SourceError for a frame without columns."""
    if _is_pandas(source):
        return _of_pandas(source, limits)
    if type(source).__module__.partition(".")[0] == "polars" and hasattr(source, "collect"):
        source = source.collect()
    if not any(hasattr(source, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "__dataframe__")):
        return None
    return _of_arrow(source, limits)


def _of_arrow(source: Any, limits: ReaderLimits) -> TableRows:
    import pyarrow as pa  # noqa: PLC0415 - takes a moment, and most programs upload no frames
    from pyarrow.interchange import from_dataframe  # noqa: PLC0415

    label = _label(source)
    library: Any = pa  # its stubs know no `record_batch`
    try:
        if hasattr(source, "__arrow_c_stream__"):
            batches = pa.RecordBatchReader.from_stream(source)
        elif hasattr(source, "__arrow_c_array__"):
            batch = library.record_batch(source)
            batches = pa.RecordBatchReader.from_batches(batch.schema, [batch])
        else:
            table = from_dataframe(source)  # type: ignore[operator]  # its stubs take it for a module
            batches = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    except (pa.ArrowException, TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{label} is not a table of columns: {error}") from error
    names = [str(name) for name in batches.schema.names]
    _check_names(label, names, limits)
    return TableRows("", getattr(source, "num_rows", None), True, csv_of_batches(label, names, batches, limits))


def _is_pandas(source: Any) -> bool:
    return (
        type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "dtypes") and hasattr(source, "iloc")
    )


def _of_pandas(frame: Any, limits: ReaderLimits) -> TableRows:
    label = _label(frame)
    if not hasattr(frame, "columns"):
        raise SourceError(f"{label} has no columns: give a data frame, such as `series.to_frame('phone')`")
    if all(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    _check_names(label, names, limits)
    return TableRows("", len(frame), True, csv_of_batches(label, names, _batches(frame), limits))


def _batches(frame: Any) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - as above

    names = [str(place) for place in range(len(frame.columns))]
    for start in range(0, max(len(frame), 1), _ROWS_AT_ONCE):
        part = frame.iloc[start : start + _ROWS_AT_ONCE]
        yield pa.table([_column(part.iloc[:, place]) for place in range(len(names))], names=names)


def _column(series: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        # A column of mixed values, such as numbers and text.
        values = [plain(value) for value in series]
        return pa.array([None if value is None else str(value) for value in values], pa.large_string())


def _check_names(label: str, names: list[str], limits: ReaderLimits) -> None:
    if not names:
        raise SourceError(f"{label} has no columns")
    if len(names) > limits.columns:
        raise SourceError(f"{label} has more than {limits.columns:,} columns (columns)")


def _label(source: Any) -> str:
    return f"the {type(source).__name__}"
