"""Changes that an import made to contacts: each changed field with its former and its new value."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server.imports.database.change_store import Changed
from bossjy_server.imports.database.layers import Fields, merged
from bossjy_server.imports.records import ExistingPolicy

# Characters of a value, as the contract says.
_SHOWN_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a contact before and after an import. Both values are truncated."""

    field: str
    former: str
    new: str


def changes(contact: Changed, policy: ExistingPolicy) -> list[FieldChange]:
    """The fields that differ. Attributes are named `attributes.KEY`."""
    after = contact.after
    if contact.row is not None:
        after = merged(contact.former, contact.row, policy)
    old, new = _texts(contact.former), _texts(after or contact.former)
    return [
        FieldChange(field, old.get(field, "")[:_SHOWN_VALUE], new.get(field, "")[:_SHOWN_VALUE])
        for field in {**old, **new}
        if old.get(field, "") != new.get(field, "")
    ]


def _texts(fields: Fields) -> dict[str, str]:
    named = {name: str(value) for name, value in fields.items() if name not in {"other_numbers", "attributes"}}
    return {
        **named,
        "other_numbers": ";".join(fields["other_numbers"]),
        **{f"attributes.{key}": value for key, value in fields["attributes"].items()},
    }
