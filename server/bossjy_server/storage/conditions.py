"""Conversion of filters to SQL: values become parameters, names come from tables in the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bossjy_server.storage.filters import All, Any, Comparison, FieldKind, Filter, Negation

_OPERATORS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(slots=True)
class Query:
    """A growing statement with its parameters."""

    text: str
    parameters: list[object]

    def parameter(self, value: object, kind: str) -> str:
        """Add a parameter. Returns its name in the text."""
        self.parameters.append(value)
        return f"${len(self.parameters)}::{kind}"


def condition(query: Query, tree: Filter, columns: Mapping[str, str]) -> str:
    """The tree as SQL over the columns of its fields."""
    match tree:
        case All(of):
            return "(" + " AND ".join(condition(query, one, columns) for one in of) + ")"
        case Any(of):
            return "(" + " OR ".join(condition(query, one, columns) for one in of) + ")"
        case Negation(of):
            return f"(NOT {condition(query, of, columns)})"
        case Comparison():
            return _comparison(query, tree, columns)


def _comparison(query: Query, one: Comparison, columns: Mapping[str, str]) -> str:
    """A comparison that is never NULL, so that NOT inverts it."""
    if one.kind is FieldKind.ATTRIBUTE:
        key = query.parameter(one.key, "text")
        if one.value is None:
            return f"(attributes ? {key})"
        column, kind = f"coalesce(attributes ->> {key}, '')", "text"
    else:
        column = columns[one.field]
        if one.value is None:
            return f"({column} <> '')" if one.kind is FieldKind.TEXT else f"({column} IS NOT NULL)"
        kind = "timestamptz" if one.kind is FieldKind.TIME else "smallint" if isinstance(one.value, int) else "text"
    value = query.parameter(one.value, kind)
    if one.operator == ":":
        return f"(position(lower({value}) IN lower({column})) > 0)"
    return f"({column} {_OPERATORS[one.operator]} {value})"
