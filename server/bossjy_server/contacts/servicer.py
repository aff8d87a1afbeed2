"""ContactService: convert in, one call, convert out."""

from __future__ import annotations

from bossjy.contacts.v1 import contact_service_pb2 as pb
from bossjy_server.contacts import convert
from bossjy_server.contacts.contacts import Contacts
from bossjy_server.contacts.pages import page_token, read_page_token
from bossjy_server.context import current_caller
from bossjy_server.storage.postgres import Database

_CONTACTS_A_PAGE = 100


class ContactServicer:
    """The methods of bossjy.contacts.v1.ContactService; one that is not here answers METHOD_NOT_AVAILABLE."""

    def __init__(self, database: Database) -> None:
        self._contacts = Contacts(database)

    async def GetContact(self, request: pb.GetContactRequest) -> pb.GetContactResponse:
        """Read one contact."""
        found = await self._contacts.get(current_caller().tenant_id, request.phone_number)
        return pb.GetContactResponse(contact=convert.contact(found))

    async def ListContacts(self, request: pb.ListContactsRequest) -> pb.ListContactsResponse:
        """List contacts in pages."""
        tenant_id = current_caller().tenant_id
        size = request.page_size or _CONTACTS_A_PAGE
        listing = ["contacts", tenant_id, request.filter, request.order_by]
        cursor = read_page_token(listing, request.page_token, str)
        after = str(cursor[0]) if cursor else ""
        page = await self._contacts.list_page(
            tenant_id,
            request.filter,
            request.order_by,
            after=after,
            limit=size + 1,
            count_total=request.count_total,
        )
        token = page_token(listing, page.contacts[size - 1].e164) if len(page.contacts) > size else ""
        return pb.ListContactsResponse(
            contacts=[convert.contact(one) for one in page.contacts[:size]],
            next_page_token=token,
            total_size=page.total,
        )

    async def DeleteContact(self, request: pb.DeleteContactRequest) -> pb.DeleteContactResponse:
        """Delete one contact."""
        await self._contacts.delete(
            current_caller().tenant_id, request.phone_number, etag=request.etag, allow_missing=request.allow_missing
        )
        return pb.DeleteContactResponse()
