"""Fields that contacts can be filtered by."""

from __future__ import annotations

from bossjy_server.storage import filters
from bossjy_server.storage.filters import MAX_COMPARISONS, All, Any, Comparison, FieldKind, Filter, Negation, Vocabulary

__all__ = ["MAX_COMPARISONS", "All", "Any", "Comparison", "FieldKind", "Filter", "Negation", "parse_filter"]

FIELDS = {
    "region": FieldKind.TEXT,
    "type": FieldKind.WORD,
    "carrier": FieldKind.TEXT,
    "place": FieldKind.TEXT,
    "name": FieldKind.TEXT,
    "email": FieldKind.TEXT,
    "created_import": FieldKind.TEXT,
    "changed_import": FieldKind.TEXT,
    "create_time": FieldKind.TIME,
    "update_time": FieldKind.TIME,
    "extension": FieldKind.TEXT,
}
# Names of the contract's resource, to the names of earlier releases.
_ALIASES = {
    "region_code": "region",
    "number_type": "type",
    "created_import_id": "created_import",
    "changed_import_id": "changed_import",
}
# Names of the contract's NumberType without their prefix, to libphonenumber's values.
NUMBER_TYPES = {
    "FIXED_LINE": 0,
    "MOBILE": 1,
    "FIXED_LINE_OR_MOBILE": 2,
    "TOLL_FREE": 3,
    "PREMIUM_RATE": 4,
    "SHARED_COST": 5,
    "VOIP": 6,
    "PERSONAL_NUMBER": 7,
    "PAGER": 8,
    "UAN": 9,
    "VOICEMAIL": 10,
    "UNKNOWN": 99,
}
_VOCABULARY = Vocabulary(FIELDS, {"type": NUMBER_TYPES}, searched=("name", "email"), aliases=_ALIASES, attributes=True)


def parse_filter(text: str) -> Filter | None:
    """The tree of a filter; None for an empty one. Raises InvalidArgument(FILTER_INVALID) with the position."""
    return filters.parse_filter(text, _VOCABULARY)
