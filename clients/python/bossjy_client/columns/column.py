"""Column of texts to validate: the messages to send, and the table of the answers in the caller's own kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_client.errors import InvalidRequestError
from bossjy_client.phone_stream import ArrowBatch, Batch

# A longer text answers TOO_LONG, whatever its content: of a longer one only this many characters are sent.
TEXT_MAX = 251
# Rows of one message in columns and in Arrow. A message that requests formats has at most 10,000.
TEXT_ROWS, ARROW_ROWS, FORMAT_ROWS = 5_000, 25_000, 5_000
# Bytes of the texts of one message.
MESSAGE_BYTES = 2 * 1024 * 1024

# Rows of a list from which Arrow is faster, and those that also pay for the import of pyarrow.
_ROWS, _ROWS_WITH_IMPORT = 5_000, 200_000

_LISTS = {"region_codes": "region", "carriers": "carrier", "places": "place", "time_zone_sets": "time_zones"}
# The columns that a caller can request.
COLUMNS = tuple(field.name for field in phone_service_pb2.NumberColumns.DESCRIPTOR.fields if field.name not in _LISTS)
# The columns of an empty request, as the contract states them for `read_mask`.
DEFAULT_COLUMNS = (
    "valid",
    "reason",
    "possibility",
    "type",
    "e164",
    "calling_code",
    "national_number",
    "leading_zeros",
    "region",
    "extension",
    "warnings",
)
_FORMATS = frozenset({"international_format", "national_format", "rfc3966_format"})


def _words(enum: Any, prefix: str) -> tuple[str, ...]:
    """The words of an enumeration by number, without the prefix; empty for unspecified."""
    names: dict[int, str] = {number: name.removeprefix(prefix) for name, number in enum.items()} | {0: ""}
    return tuple(names.get(number, str(number)) for number in range(max(names) + 1))


# Columns of numbers that are returned as words.
WORDS = {
    "type": _words(number_pb2.NumberType, "NUMBER_TYPE_"),
    "reason": _words(number_pb2.InvalidReason, "INVALID_REASON_"),
    "possibility": _words(number_pb2.Possibility, "POSSIBILITY_"),
}
_WARNINGS = _words(number_pb2.NumberWarning, "NUMBER_WARNING_")[1:]


def warning_words(mask: int) -> str:
    """The names of the warnings in a column's mask, separated by spaces."""
    return " ".join(_WARNINGS[bit] for bit in range(mask.bit_length()) if mask >> bit & 1)


class Column(Protocol):
    """A column of one kind."""

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The messages of all rows; one without rows if the column is empty. Raises InvalidRequestError."""
        ...

    def table(self, answers: Sequence[phone_service_pb2.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """The answers in the caller's kind, one row for each row of the column, in its order."""
        ...


def wanted_columns(columns: Sequence[str]) -> Sequence[str]:
    """The requested columns; the default ones if none is named. Raises InvalidRequestError for an unknown one."""
    if isinstance(columns, str):
        columns = (columns,)
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise InvalidRequestError(f"there is no result column {unknown[0]!r}: the columns are {', '.join(COLUMNS)}")
    return tuple(dict.fromkeys(columns)) or DEFAULT_COLUMNS


def pays(rows: int) -> bool:
    """True if a list of so many rows is faster by Arrow than as texts in protobuf."""
    if rows < _ROWS:
        return False
    return "pyarrow" in sys.modules or (rows >= _ROWS_WITH_IMPORT and find_spec("pyarrow") is not None)


def rows_of_message(wanted: Sequence[str], most: int) -> int:
    """The rows of one message, at most `most`."""
    return most if _FORMATS.isdisjoint(wanted) else min(most, FORMAT_ROWS)


def wrong_value(what: str, row: int, value: object) -> InvalidRequestError:
    """The error for a value that is no text."""
    kind = type(value).__name__
    if what == "region":
        return InvalidRequestError(f"the region of row {row} is {kind}, not text: give a code such as 'CN'")
    return InvalidRequestError(
        f"row {row} of the column is {kind}, not text: read the column as text, as other types lose leading zeros"
    )


def wrong_length(rows: int, regions: int) -> InvalidRequestError:
    """The error for a column of regions that does not fit."""
    return InvalidRequestError(f"the column has {rows:,} rows and its regions have {regions:,}: give a region for each")


__all__ = [
    "ARROW_ROWS",
    "COLUMNS",
    "DEFAULT_COLUMNS",
    "MESSAGE_BYTES",
    "TEXT_MAX",
    "TEXT_ROWS",
    "WORDS",
    "ArrowBatch",
    "Batch",
    "Column",
    "pays",
    "rows_of_message",
    "wanted_columns",
    "warning_words",
    "wrong_length",
    "wrong_value",
]
