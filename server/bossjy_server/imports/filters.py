"""Fields that imports can be filtered by, and their columns."""

from __future__ import annotations

from bossjy_server.imports.records import State
from bossjy_server.storage import filters
from bossjy_server.storage.filters import FieldKind, Filter, Vocabulary

# Names of the contract's ImportState without their prefix, to the texts of the database.
_STATES = {state.name: state.value for state in State}
_VOCABULARY = Vocabulary(
    {
        "state": FieldKind.WORD,
        "create_time": FieldKind.TIME,
        "created_by": FieldKind.TEXT,
        "file_name": FieldKind.TEXT,
    },
    {"state": _STATES},
    searched=("file_name",),
)
COLUMNS = {
    "state": "i.state::text",
    "create_time": "i.create_time",
    "created_by": "i.created_by",
    "file_name": "coalesce(i.spec ->> 'file_name', '')",
}


def parse_filter(text: str) -> Filter | None:
    """The tree of a filter; None for an empty one. Raises InvalidArgument(FILTER_INVALID) with the position."""
    return filters.parse_filter(text, _VOCABULARY)
