"""Columns of Python texts: lists, and NumPy arrays. They need no library, as protobuf carries the texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client.columns.column import (
    MESSAGE_BYTES,
    TEXT_MAX,
    TEXT_ROWS,
    WORDS,
    rows_of_message,
    warning_words,
    wrong_length,
    wrong_value,
)
from bossjy_client.phone_stream import Batch, TextBatch

_INDEXED = {"region": "region_codes", "carrier": "carriers", "place": "places"}


def as_texts(values: Iterable[Any], what: str = "number") -> list[str]:
    """The values as texts; a missing value (None, NaN, NA) is an empty text.

    Raises InvalidRequestError with the row of a value of another type.
    """
    texts = values if isinstance(values, list) else list(values)
    if set(map(type, texts)) <= {str}:
        return texts
    return [str(text) if isinstance(text, str) else _missing(what, row, text) for row, text in enumerate(texts)]


def _missing(what: str, row: int, value: Any) -> str:
    """An empty text for a missing value. NaN and NaT differ from themselves, and pandas' NA has no truth."""
    if is_missing(value):
        return ""
    raise wrong_value(what, row, value)


def is_missing(value: Any) -> bool:
    """True for None, NaN, NaT and NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - NaN
    except (TypeError, ValueError):
        return False


class TextColumn:
    """A list as a column. Its table is a dict of lists."""

    def __init__(self, values: Iterable[Any], regions: Iterable[Any] | None = None) -> None:
        self._texts = as_texts(values)
        self._regions = None if regions is None else [one.upper() for one in as_texts(regions, "region")]
        if self._regions is not None and len(self._regions) != len(self._texts):
            raise wrong_length(len(self._texts), len(self._regions))

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Column."""
        begin = 0
        for end in _cuts(self._texts, rows_of_message(wanted, TEXT_ROWS)):
            texts = [text if len(text) <= TEXT_MAX else text[:TEXT_MAX] for text in self._texts[begin:end]]
            yield TextBatch(texts, self._regions[begin:end] if self._regions else ())
            begin = end

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        return columns_of(answers, wanted)


def _cuts(texts: Sequence[str], most: int) -> Iterator[int]:
    """The ends of the messages. One end for no texts at all."""
    size = rows = 0
    for row, text in enumerate(texts):
        length = min(len(text), TEXT_MAX) * (1 if text.isascii() else 4)
        if rows and (rows == most or size + length > MESSAGE_BYTES):
            yield row
            size = rows = 0
        size += length
        rows += 1
    yield len(texts)


def columns_of(answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of all answers as lists."""
    table: dict[str, list[Any]] = {name: [] for name in wanted}
    for answer in answers:
        columns = answer.columns
        rows = max((len(getattr(columns, name)) for name in wanted), default=0)
        for name in wanted:
            table[name] += _values(columns, name, rows)
    return table


def _values(columns: pb.NumberColumns, name: str, rows: int) -> Iterable[Any]:
    values = getattr(columns, name)
    if name in WORDS:
        return map(WORDS[name].__getitem__, values)
    if name in _INDEXED:
        return map(list(getattr(columns, _INDEXED[name])).__getitem__, values)
    if name == "time_zones":
        return map([",".join(one.ids) for one in columns.time_zone_sets].__getitem__, values)
    if name == "warnings":
        named = {mask: warning_words(mask) for mask in set(values)}
        return [named[mask] for mask in values] or [""] * rows
    # A column of texts without any text is left out.
    return values or [""] * rows if name == "extension" else values


class NumpyColumn(TextColumn):
    """The values of a NumPy array as a column. Its table is a dict of arrays."""

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        import numpy as np  # noqa: PLC0415 - the caller has it

        numbers = {"valid": np.bool_, "carrier_reliable": np.bool_, "national_number": np.uint64}
        numbers |= dict.fromkeys(("calling_code", "leading_zeros"), np.uint32)
        return {
            name: np.array(values, numbers.get(name, object)) for name, values in columns_of(answers, wanted).items()
        }
