"""ContactService: converts requests, makes one call, and converts the result."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from typing import Any

from bossjy.contacts.v1 import contact_pb2
from bossjy.contacts.v1 import contact_service_pb2 as pb
from bossjy_numbering import Plan
from bossjy_server.contacts import convert
from bossjy_server.contacts.contacts import Contacts, Listing
from bossjy_server.contacts.erase import Erasing, Mac
from bossjy_server.contacts.export import ArrowWriter, CsvWriter, JsonlWriter, PlainCsvWriter, Writer
from bossjy_server.contacts.records import Contact
from bossjy_server.contacts.statements import Order
from bossjy_server.context import current_call, current_caller
from bossjy_server.storage.cache import Cache, Loaded
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database

_BUCKETS = 50
_PIECE_BYTES = 1024 * 1024
_DEFAULT_DIMENSIONS = (contact_pb2.STATS_DIMENSION_REGION, contact_pb2.STATS_DIMENSION_NUMBER_TYPE)


class ContactServicer:
    """The methods of bossjy.contacts.v1.ContactService. All others answer METHOD_NOT_AVAILABLE."""

    def __init__(self, database: Database, plan: Plan, mac: Mac, stats: Cache | None = None) -> None:
        self._contacts = Contacts(database, mac)
        self._pages = Pages(mac)
        self._stats = stats  # answers of GetContactStats, by tenant; every change of contacts drops them
        self._erasing = Erasing(database, plan, mac)

    async def GetContact(self, request: pb.GetContactRequest) -> pb.GetContactResponse:
        """Read one contact."""
        found = await self._contacts.get(current_caller().tenant_id, request.phone_number)
        return pb.GetContactResponse(contact=convert.contact(found))

    async def ListContacts(self, request: pb.ListContactsRequest) -> pb.ListContactsResponse:
        """List contacts in pages."""
        tenant_id = current_caller().tenant_id
        listing = Listing(request.filter, request.order_by)
        order, _ = listing.order
        by_number = order is Order.NUMBER
        page = self._pages.open(request, tenant_id, kinds=(str,) if by_number else (datetime, str))
        after = (None, *page.cursor) if page.cursor and by_number else page.cursor
        found = await self._contacts.list_page(
            tenant_id, listing, after=after, limit=page.limit, count_total=request.count_total
        )
        contacts, token = page.answer(found.contacts, convert.contact, lambda one: _position(one, order))
        return pb.ListContactsResponse(contacts=contacts, next_page_token=token, total_size=found.total)

    async def GetContactStats(self, request: pb.GetContactStatsRequest) -> pb.GetContactStatsResponse:
        """Count the contacts that pass a filter."""
        return await self._stats_of(current_caller().tenant_id, request)

    async def warm(self, tenants: Sequence[str]) -> None:
        """Count the contacts of tenants before they ask, one after the other. Raises BossjyError."""
        if self._stats is not None:
            for tenant_id in tenants:
                await self._stats_of(tenant_id, pb.GetContactStatsRequest())

    async def _stats_of(self, tenant_id: str, request: pb.GetContactStatsRequest) -> pb.GetContactStatsResponse:
        async def count() -> Loaded:
            dimensions = [convert.dimension_from(one) for one in request.dimensions or _DEFAULT_DIMENSIONS]
            total, tables = await self._contacts.count(
                tenant_id, request.filter, dimensions, request.bucket_limit or _BUCKETS
            )
            answer = pb.GetContactStatsResponse(total_count=total, tables=[convert.table(one) for one in tables])
            return Loaded(answer.SerializeToString())

        # By a digest: a filter may contain a number, and keys of the cache must not.
        asked = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        answer = (await count()).value if self._stats is None else await self._stats.get(tenant_id, asked, count)
        return pb.GetContactStatsResponse.FromString(answer or b"")

    async def ExportContacts(self, request: pb.ExportContactsRequest) -> AsyncGenerator[pb.ExportContactsResponse]:
        """Stream all contacts that pass a filter as one file."""
        pieces = self._contacts.export(
            current_caller().tenant_id,
            request.filter,
            _writer(request.format, plain=request.plain_cells),
            _PIECE_BYTES,
        )
        try:
            async for data, count in pieces:
                yield pb.ExportContactsResponse(data=data, contact_count=count)
        finally:
            await pieces.aclose()

    async def DeleteContact(self, request: pb.DeleteContactRequest) -> pb.DeleteContactResponse:
        """Delete one contact."""
        await self._contacts.delete(
            current_caller().tenant_id, request.phone_number, etag=request.etag, allow_missing=request.allow_missing
        )
        await self._changed()
        return pb.DeleteContactResponse()

    async def EraseContacts(self, request: pb.EraseContactsRequest) -> pb.EraseContactsResponse:
        """Erase numbers permanently."""
        erasure = await self._erasing.erase(
            current_caller(),
            request.phone_numbers,
            request_id=request.request_id,
            purpose=request.purpose,
            call_id=current_call().request_id,
        )
        await self._changed()
        return convert.erasure(erasure)

    async def _changed(self) -> None:
        if self._stats is not None:
            await self._stats.forget(current_caller().tenant_id)


def _position(contact: Contact, order: Order) -> tuple[Any, ...]:
    times = {Order.CREATE_TIME: contact.create_time, Order.UPDATE_TIME: contact.update_time}
    return (times[order], contact.e164) if order in times else (contact.e164,)


def _writer(form: contact_pb2.ExportFormat.ValueType, *, plain: bool) -> Callable[[Sequence[str]], Writer]:
    if form == contact_pb2.EXPORT_FORMAT_JSONL:
        return lambda _: JsonlWriter()
    if form == contact_pb2.EXPORT_FORMAT_ARROW:
        return lambda _: ArrowWriter()
    return PlainCsvWriter if plain else CsvWriter
