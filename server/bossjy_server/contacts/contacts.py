"""Contact operations: read, list, count, export and delete."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bossjy_server.contacts import store
from bossjy_server.contacts.erase import Mac
from bossjy_server.contacts.export import CsvWriter, PlainCsvWriter, Writer
from bossjy_server.contacts.filters import Filter, parse_filter
from bossjy_server.contacts.records import Contact
from bossjy_server.contacts.statements import Dimension, Order
from bossjy_server.context import current_caller
from bossjy_server.errors import Aborted, InvalidArgument, NotFound, Reason
from bossjy_server.storage import audit
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Database

_ORDERS = {"phone_number": Order.NUMBER, "create_time": Order.CREATE_TIME, "update_time": Order.UPDATE_TIME}
# Attributes with their own column in an exported CSV, as many as an import accepts; others are in the last column.
_KEY_COLUMNS = 100
_EXPORT_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Listing:
    """The selection of a list: a filter, and an order in the contract's notation."""

    filter_text: str
    order_by: str

    @property
    def order(self) -> tuple[Order, bool]:
        """The order, and true if it descends. Raises InvalidArgument(ORDER_INVALID)."""
        words = self.order_by.split() or ["phone_number"]
        if words[0] not in _ORDERS or words[1:] not in ([], ["desc"]):
            raise InvalidArgument(
                Reason.ORDER_INVALID,
                f"contacts can be ordered by {', '.join(_ORDERS)}, each with ` desc` if wanted",
            )
        return _ORDERS[words[0]], len(words) > 1


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page of contacts; `total` is None unless it was requested."""

    contacts: list[Contact]
    total: int | None


@dataclass(slots=True)
class Table:
    """The counts of one dimension: values and counts, by count, and the contacts of all values that are not listed."""

    dimension: Dimension
    buckets: list[tuple[str, int]] = field(default_factory=list)
    other_count: int = 0


class Contacts:
    """The operations on the contacts of a tenant."""

    def __init__(self, database: Database, mac: Mac) -> None:
        self._database = database
        self._mac = mac

    async def get(self, tenant_id: str, e164: str) -> Contact:
        """Read a contact. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            found = await store.find_contact(connection, tenant_id, e164)
        if found is None:
            raise NotFound("contact")
        return found

    async def list_page(
        self,
        tenant_id: str,
        listing: Listing,
        *,
        after: tuple[datetime | None, str] | None,
        limit: int,
        count_total: bool,
    ) -> ContactPage:
        """A page after `after` (time of the order, None for the order by number; E.164). Raises InvalidArgument."""
        tree = parse_filter(listing.filter_text)
        order, descending = listing.order
        long = count_total or tree is not None  # each can read all contacts
        async with self._database.tenant(tenant_id, long=long) as connection:
            contacts = await store.list_contacts(
                connection, tenant_id, tree, order, descending=descending, after=after, limit=limit
            )
            total = await store.count_contacts(connection, tenant_id, tree) if count_total else None
        return ContactPage(contacts, total)

    async def count(
        self, tenant_id: str, filter_text: str, dimensions: Sequence[Dimension], limit: int
    ) -> tuple[int, list[Table]]:
        """The number of contacts that pass, and a table with at most `limit` values for each dimension."""
        tree = parse_filter(filter_text)
        async with self._database.tenant(tenant_id, long=True) as connection:
            rows = await store.count_by(connection, tenant_id, tree, list(dimensions))
        total, tables = 0, [Table(dimension) for dimension in dimensions]
        for index, value, count in rows:
            if index < 0:
                total = count
            elif len(tables[index].buckets) < limit:
                tables[index].buckets.append((value, count))
            else:
                tables[index].other_count += count
        return total, tables

    async def export(
        self, tenant_id: str, filter_text: str, make_writer: Callable[[Sequence[str]], Writer], piece_bytes: int
    ) -> AsyncGenerator[tuple[bytes, int]]:
        """Pieces of a file of at least one and mostly about `piece_bytes`, and the contacts so far, by number.

        Each page of contacts is a separate transaction, so no connection waits for the reader of the file.
        """
        tree = parse_filter(filter_text)
        # In its own transaction, which ends before the first piece: the event is kept however the export ends.
        async with self._database.tenant(tenant_id) as connection:
            detail = "filtered" if filter_text.strip() else "all"
            await audit.record(connection, tenant_id, "contacts.export", detail=detail)
        keys: list[str] = []
        if make_writer in {CsvWriter, PlainCsvWriter}:
            async with self._database.tenant(tenant_id, long=True) as connection:
                keys = await store.attribute_keys(connection, tenant_id, tree, _KEY_COLUMNS)
        writer = make_writer(keys)
        piece, count = writer.start(), 0
        async for page in self._pages(tenant_id, tree):
            piece, count = piece + writer.write(page), count + len(page)
            while len(piece) > piece_bytes:
                yield piece[:piece_bytes], count
                piece = piece[piece_bytes:]
        piece += writer.end()
        for start in range(0, len(piece), piece_bytes):
            yield piece[start : start + piece_bytes], count

    async def _pages(self, tenant_id: str, tree: Filter | None) -> AsyncIterator[list[Contact]]:
        """All contacts that pass, by number. A contact that exists from the first page to the last occurs once."""
        after = ""
        while True:
            async with self._database.tenant(tenant_id, long=True) as connection:
                page = await store.list_contacts(
                    connection, tenant_id, tree, Order.NUMBER, descending=False, after=(None, after), limit=_EXPORT_PAGE
                )
            yield page
            if len(page) < _EXPORT_PAGE:
                return
            after = page[-1].e164

    async def delete(self, tenant_id: str, e164: str, *, etag: str, allow_missing: bool) -> None:
        """Delete a contact. Raises NotFound, or Aborted(ETAG_MISMATCH)."""
        async with self._database.tenant(tenant_id) as connection:
            found = await store.lock_contact(connection, tenant_id, e164)
            if found is None:
                if allow_missing:
                    return
                raise NotFound("contact")
            if etag and etag != found.etag:
                raise Aborted(Reason.ETAG_MISMATCH, "the contact was changed since: read it again, then repeat")
            await store.delete_contact(connection, tenant_id, e164)
            # A keyed hash: the number and the service's secret find its events, and nobody can recover the number.
            number = self._mac("audited-number", tenant_id.encode(), e164.encode())
            await audit.record(connection, tenant_id, "contacts.delete", resource=number.hex())
            await hold_caller(connection, current_caller())
