"""Layers of a contact: the rows of imports with its number, in their order, and the contact without one of them.

A contact consists only of its layers: the row of the import that created it, and the rows of later imports, merged by
the policy of each. A reversal drops the layer of an import and merges the others again. Pure; uses no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bossjy_server.imports.records import ExistingPolicy

# The fields of a contact that rows have, by name.
Fields: TypeAlias = "Mapping[str, Any]"

_REPLACED = ("region", "number_type")
_TEXTS = ("name", "email", "carrier", "place", "extension")


@dataclass(frozen=True, slots=True)
class Version:
    """A contact at one time: its fields, the row and import that wrote them, and the time."""

    fields: Fields
    import_id: str
    position: int | None
    update_time: str


@dataclass(frozen=True, slots=True)
class Layer:
    """The row of one import. `row` None: the contact had these fields already; `former` None: it changed nothing."""

    import_id: str
    position: int
    policy: ExistingPolicy
    row: Fields | None
    former: Version | None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Layered:
    """A contact with its layers, the oldest first. The layer of the creator is the first version, not among them."""

    e164: str
    created_by: str
    created_position: int | None
    current: Version
    layers: tuple[Layer, ...]
    created_line: int | None = None


def without(contact: Layered, import_id: str, now: str) -> Layered | None:
    """The contact without this import; None if the contact would not exist.

    `now`: the time of versions that this creates.
    """
    first, versions = _versions(contact)
    rows = [layer.row or version.fields for layer, version in zip(contact.layers, versions, strict=True)]
    created_by, created_position, created_line = contact.created_by, contact.created_position, contact.created_line
    current: Version | None = None if created_by == import_id else first
    kept: list[Layer] = []
    for layer, row in zip(contact.layers, rows, strict=True):
        if layer.import_id in (import_id, created_by):
            continue
        if current is None:
            created_by, created_position, created_line = layer.import_id, layer.position, layer.line
            current = Version(row, layer.import_id, layer.position, now)
            continue
        fields = merged(current.fields, row, layer.policy)
        former = None if fields == current.fields else current
        if former is not None:
            current = Version(fields, layer.import_id, layer.position, now)
        kept.append(replace(layer, row=None if row == current.fields else row, former=former))
    if current is None:
        return None
    return Layered(contact.e164, created_by, created_position, current, tuple(kept), created_line)


def merged(before: Fields, row: Fields, policy: ExistingPolicy) -> Fields:
    """The fields after the merge of a row into a contact, equal to the result of the merge statements."""
    if policy is ExistingPolicy.SKIP:
        return before
    winner, loser = (row, before) if policy is ExistingPolicy.OVERWRITE else (before, row)
    return {
        **{name: winner[name] for name in _REPLACED},
        **{name: winner.get(name, "") or loser.get(name, "") for name in _TEXTS},
        "other_numbers": winner["other_numbers"] or loser["other_numbers"],
        "attributes": {**loser["attributes"], **winner["attributes"]},
    }


def _versions(contact: Layered) -> tuple[Version, Sequence[Version]]:
    """The contact before the first layer, and after each of them."""
    versions: list[Version] = []
    version = contact.current
    for layer in reversed(contact.layers):
        versions.append(version)
        version = layer.former or version
    return version, versions[::-1]
