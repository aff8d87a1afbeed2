"""Columns of polars by its own Arrow IPC, without pyarrow. polars is imported here only, for callers who have it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client.columns.arrow import first_wrong
from bossjy_client.columns.column import (
    ARROW_ROWS,
    MESSAGE_BYTES,
    TEXT_MAX,
    WORDS,
    rows_of_message,
    warning_words,
    wrong_length,
)
from bossjy_client.columns.texts import as_texts
from bossjy_client.phone_stream import ArrowBatch, Batch


class PolarsColumn:
    """A polars series as a column. Its table is a polars DataFrame."""

    def __init__(self, series: Any, regions: Any = None) -> None:
        import polars  # noqa: ICN001, PLC0415 - the caller has it

        self._polars: Any = polars
        self._texts = self._text_series(series, "number")
        self._regions = None if regions is None else self._text_series(regions, "region")
        if self._regions is not None and len(self._regions) != len(self._texts):
            raise wrong_length(len(self._texts), len(self._regions))

    def _text_series(self, series: Any, what: str) -> Any:
        known = self._polars
        if not isinstance(series, known.Series):
            series = known.Series(as_texts(series, what), dtype=known.String)
        if series.dtype in (known.String, known.Categorical, known.Enum, known.Null):
            return series.cast(known.String)
        raise first_wrong(series, what)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Column."""
        most = rows_of_message(wanted, ARROW_ROWS)
        for start in range(0, max(1, len(self._texts)), most):
            yield from self._messages(start, min(most, len(self._texts) - start))

    def _messages(self, start: int, rows: int) -> Iterator[Batch]:
        texts = self._texts.slice(start, rows)
        if _bytes_of(texts) > MESSAGE_BYTES:
            texts = texts.str.slice(0, TEXT_MAX)
            if rows > 1 and _bytes_of(texts) > MESSAGE_BYTES:
                for first, count in ((start, rows // 2), (start + rows // 2, rows - rows // 2)):
                    yield from self._messages(first, count)
                return
        columns = {"phone_number": texts}
        if self._regions is not None:
            columns["default_region"] = self._regions.slice(start, rows).str.to_uppercase()
        sink = io.BytesIO()
        # The oldest form has texts with offsets, which hold these rows only.
        level = self._polars.CompatLevel.oldest()
        self._polars.DataFrame(columns).write_ipc_stream(sink, compression="uncompressed", compat_level=level)
        yield ArrowBatch(sink.getvalue(), rows)

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        polars = self._polars
        frame = polars.concat([polars.read_ipc_stream(io.BytesIO(answer.arrow_ipc)) for answer in answers])
        return polars.DataFrame([self._worded(frame.get_column(name)) for name in wanted])

    def _worded(self, column: Any) -> Any:
        """A column with words in place of numbers."""
        polars, name = self._polars, column.name
        if name == "warnings":
            if not len(column):
                return column.cast(polars.String)
            masks = column.unique()
            words = polars.Series([warning_words(mask) for mask in masks.to_list()], dtype=polars.String)
            return column.replace_strict(masks, words, return_dtype=polars.String)
        if name not in WORDS:
            return column
        words = polars.Series(name, WORDS[name], dtype=polars.Enum(WORDS[name]))
        return words.gather(column.cast(polars.UInt32))


def _bytes_of(texts: Any) -> int:
    return int(texts.str.len_bytes().sum() or 0)
