"""Connection to PostgreSQL that logs slow statements, and has a span for each statement of a sampled call."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg

from bossjy_server import spans
from bossjy_server.context import call_or_none

_LOG = logging.getLogger(__name__)

SLOW_S = 1.0
_WORD = re.compile(r"\s*(?:--[^\n]*\n\s*)*(\w+)")
_TABLES = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+([a-z_]+\.[a-z_]+)")
_TABLES_MOST = 3


@lru_cache(maxsize=1024)
def summary(query: str) -> str:
    """The operation and the first tables of a statement, without any value: `UPDATE bossjy.imports`."""
    word = _WORD.match(query)
    tables = dict.fromkeys(_TABLES.findall(query))
    return " ".join([word[1].upper() if word else "STATEMENT", *list(tables)[:_TABLES_MOST]])


class ObservedConnection(asyncpg.Connection):
    """A connection of the pool."""

    __slots__ = ()

    async def execute(self, query: str, *args: object, **options: Any) -> str:
        """Run statements."""
        done: str = await _observed(super().execute, query, args, options)
        return done

    async def fetch(self, query: str, *args: object, **options: Any) -> Any:
        """Run a statement; its rows."""
        return await _observed(super().fetch, query, args, options)

    async def fetchrow(self, query: str, *args: object, **options: Any) -> Any:
        """Run a statement; its first row."""
        return await _observed(super().fetchrow, query, args, options)

    async def fetchval(self, query: str, *args: object, **options: Any) -> Any:
        """Run a statement; one value."""
        return await _observed(super().fetchval, query, args, options)

    async def copy_to_table(self, table_name: str, **options: Any) -> str:
        """Copy rows to a table."""
        copy, schema = super().copy_to_table, options.get("schema_name") or "public"

        async def work(_: str) -> str:
            done: str = await copy(table_name, **options)
            return done

        told: str = await _observed(work, f"COPY INTO {schema}.{table_name}", (), {})
        return told


_Work: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


async def _observed(work: _Work, query: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:
    call = call_or_none()
    began = time.monotonic()
    try:
        if call is not None and call.tracer is not None:
            return await _traced(work, query, args, options)
        return await work(query, *args, **options)
    finally:
        seconds = time.monotonic() - began
        if seconds > SLOW_S:
            _report(query, seconds)


async def _traced(work: _Work, query: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:
    short = summary(query)
    attributes = {"db.system.name": "postgresql", "db.query.summary": short, "db.operation.name": short.split()[0]}
    span = spans.begin(short, attributes)
    if span is None:
        return await work(query, *args, **options)
    try:
        done = await work(query, *args, **options)
    except BaseException as error:
        if isinstance(error, asyncpg.PostgresError):
            span.set_attribute("db.response.status_code", str(error.sqlstate or ""))
        spans.end(span, error)
        raise
    spans.end(span)
    return done


def _report(query: str, seconds: float) -> None:
    """Log a slow statement, with the call that waited for it. Values are no part of a statement's text."""
    call = call_or_none()
    fields: dict[str, object] = {"statement": summary(query), "ms": int(seconds * 1000)}
    if call is not None:
        fields |= {"request_id": call.request_id, "method": call.method}
        if call.trace_id:
            fields["trace_id"] = call.trace_id
    _LOG.warning("slow statement", extra={"fields": fields})
