"""Filters, orders and counts as SQL. Only the store uses these texts. Values are parameters."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter

_COLUMNS = {
    "region": "region",
    "type": "number_type",
    "carrier": "carrier",
    "place": "place",
    "name": "name",
    "email": "email",
    "created_import": "coalesce(created_import_id, '')",
    "changed_import": "coalesce(changed_import_id, '')",
    "create_time": "create_time",
    "update_time": "update_time",
    "extension": "extension",
}

CONTACT = (
    "e164, region, number_type, name, email, other_numbers, attributes, carrier, place, created_import_id, "
    "changed_import_id, create_time, update_time, extension"
)


class Order(StrEnum):
    """Orders of contacts; the value is the column."""

    NUMBER = "e164"
    CREATE_TIME = "create_time"
    UPDATE_TIME = "update_time"


class Dimension(StrEnum):
    """Dimensions for counts of contacts; the value is the expression."""

    REGION = "region"
    NUMBER_TYPE = "number_type::text"
    CARRIER = "carrier"
    CREATE_DAY = "to_char(create_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
    CREATED_IMPORT = "coalesce(created_import_id, '')"


def list_query(
    tenant_id: str,
    tree: Filter | None,
    order: Order,
    *,
    descending: bool,
    after: tuple[datetime | None, str] | None,
    limit: int,
) -> Query:
    """A page after `after` (time of the order, or None for the order by number, and E.164)."""
    query = _filtered(f"SELECT {CONTACT} FROM bossjy.contacts", tenant_id, tree)
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    if order is Order.NUMBER:
        if after is not None:
            query.text += f" AND e164 {beyond} {query.parameter(after[1], 'text')}"
        query.text += f" ORDER BY e164 {way}"
    else:
        if after is not None:
            time, number = query.parameter(after[0], "timestamptz"), query.parameter(after[1], "text")
            query.text += f" AND ({order}, e164) {beyond} ({time}, {number})"
        query.text += f" ORDER BY {order} {way}, e164 {way}"
    query.text += f" LIMIT {query.parameter(limit, 'bigint')}"
    return query


def keys_query(tenant_id: str, tree: Filter | None, limit: int) -> Query:
    """Names of the attributes of contacts that pass."""
    query = _filtered("SELECT DISTINCT jsonb_object_keys(attributes) AS key FROM bossjy.contacts", tenant_id, tree)
    query.text += f" ORDER BY key LIMIT {query.parameter(limit, 'bigint')}"
    return query


def count_query(tenant_id: str, tree: Filter | None) -> Query:
    """The number of contacts that pass."""
    return _filtered("SELECT count(*) FROM bossjy.contacts", tenant_id, tree)


def stats_query(tenant_id: str, tree: Filter | None, dimensions: list[Dimension]) -> Query:
    """One row for each value of each dimension: index of the dimension, value, count; and the total at index -1."""
    names = ", ".join(f"d{index}" for index in range(len(dimensions)))
    inner = _filtered(
        "SELECT "
        + ", ".join(f"{dimension} AS d{index}" for index, dimension in enumerate(dimensions))
        + " FROM bossjy.contacts",
        tenant_id,
        tree,
    )
    which = " ".join(f"WHEN grouping(d{index}) = 0 THEN {index}" for index in range(len(dimensions)))
    sets = ", ".join(["()", *(f"(d{index})" for index in range(len(dimensions)))])
    inner.text = (
        f"SELECT CASE {which} ELSE -1 END AS dimension, coalesce({names}) AS value, count(*) AS count "
        f"FROM ({inner.text}) contacts GROUP BY GROUPING SETS ({sets}) ORDER BY dimension, count DESC, value"
    )
    return inner


def _filtered(start: str, tenant_id: str, tree: Filter | None) -> Query:
    query = Query(f"{start} WHERE tenant_id = $1", [tenant_id])
    if tree is not None:
        query.text += f" AND {condition(query, tree, _COLUMNS)}"
    return query
