"""Records as lines of JSON: nested objects by dotted paths, numbers with all their digits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits
from bossjy_client.tables import EXACT_BELOW, cell_text

# A number with more digits keeps its form.
_MOST_DIGITS = 40
_LISTED = 20


def json_line(record: Mapping[Any, Any], label: str, limits: ReaderLimits) -> bytes:
    """A record as one line of JSON in UTF-8. Raises SourceError for one beyond the limits."""
    flat: dict[str, Any] = {}
    _flatten(record, "", flat, label, limits.nesting)
    if len(flat) > limits.columns:
        raise SourceError(f"{label}: a record has more than {limits.columns:,} values (columns)")
    text = json.dumps(flat, ensure_ascii=False, separators=(",", ":"))
    if len(text) > limits.record_characters:
        raise SourceError(
            f"{label}: a record has more than {limits.record_characters:,} characters (record_characters)"
        )
    return text.encode("utf-8", "replace") + b"\n"


def is_nested(record: Mapping[str, Any]) -> bool:
    """True if a record has objects inside, except the attributes of an exported contact."""
    if {"phone_number", "other_numbers", "created_import"} <= record.keys():
        return False
    return any(isinstance(value, Mapping) or _has_objects(value) for value in record.values())


def exact_number(text: str) -> int | str:
    """A JSON number with a point or an exponent: its digits if it is whole, else its original text."""
    number = Decimal(text)
    if number.is_finite() and number.adjusted() < _MOST_DIGITS and number == number.to_integral_value():
        return int(number)
    return text


def plain(value: object) -> object:
    """A single value in a JSON type; None for a missing value. Raises TypeError for a value without a text form."""
    result: object = str(value)  # the text of dates and times is ISO 8601; UUID and others have their usual text
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        result = None
    elif isinstance(value, bool | str):
        result = value if type(value) is bool else str(value)
    elif isinstance(value, int):
        result = int(value)
    elif isinstance(value, float):
        result = (
            None
            if math.isnan(value)
            else int(value)
            if _is_exact(value)
            else float(value)
            if math.isfinite(value)
            else str(value)
        )
    elif isinstance(value, Decimal):
        result = None if value.is_nan() else exact_number(str(value))
    elif isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("bytes are no text: decode them")
    elif isinstance(value, timedelta):
        result = cell_text(value)
    elif not isinstance(value, datetime | date | time) and callable(getattr(value, "item", None)):
        result = plain(value.item())  # type: ignore[attr-defined]  # a scalar of NumPy
    return result


def _is_exact(value: float) -> bool:
    return value.is_integer() and abs(value) < EXACT_BELOW


def _has_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _flatten(record: Mapping[Any, Any], path: str, flat: dict[str, Any], label: str, nesting: int) -> None:
    if nesting == 0:
        raise SourceError(f"{label}: a record has too many nested objects (nesting)")
    for key, value in record.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping):
            _flatten(value, f"{name}.", flat, label, nesting - 1)
        elif _has_objects(value):
            numbered = {str(index): item for index, item in enumerate(value[:_LISTED])}
            _flatten(numbered, f"{name}.", flat, label, nesting - 1)
        elif isinstance(value, list | tuple | set | frozenset):
            flat[name] = _listed(value)
        else:
            flat[name] = plain(value)


def _listed(values: Any) -> list[object]:
    """A list of single values; a list inside one is its JSON."""
    return [
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | tuple | dict) else plain(value)
        for value in values
        if value is not None
    ]
