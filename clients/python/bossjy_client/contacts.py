"""Client of ContactService: the contacts of the tenant."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence

from bossjy.contacts.v1 import contact_pb2, contact_service_pb2, contact_service_pb2_grpc
from bossjy_client.connection import Connection

ERASE_TIMEOUT_S = 300.0


class ContactClient:
    """A contact is a number: there is one for each E.164 number. Every method raises BossjyError.

    `filter` is AIP-160 text; if empty, all. The comment of ContactService lists fields and operators.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = contact_service_pb2_grpc.ContactServiceStub(connection.channel)

    async def get(self, phone_number: str) -> contact_pb2.Contact:
        """The contact of an E.164 number. RESOURCE_NOT_FOUND if there is none."""
        request = contact_service_pb2.GetContactRequest(phone_number=phone_number)
        return (await self._connection.call(self._stub.GetContact, request)).contact

    async def list(
        self,
        filter: str = "",  # noqa: A002 (the contract's name)
        *,
        order_by: str = "",
        page_size: int = 0,
    ) -> AsyncIterator[contact_pb2.Contact]:
        """All contacts that pass the filter, fetched page by page as they are read."""
        request = contact_service_pb2.ListContactsRequest(filter=filter, order_by=order_by, page_size=page_size)
        while True:
            answer = await self._connection.call(self._stub.ListContacts, request)
            for contact in answer.contacts:
                yield contact
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def count(self, filter: str = "") -> int:  # noqa: A002 (the contract's name)
        """The number of contacts that pass the filter."""
        request = contact_service_pb2.ListContactsRequest(filter=filter, page_size=1, count_total=True)
        return (await self._connection.call(self._stub.ListContacts, request)).total_size

    async def stats(
        self,
        filter: str = "",  # noqa: A002 (the contract's name)
        *,
        dimensions: Sequence[contact_pb2.StatsDimension.ValueType] = (),
        bucket_limit: int = 0,
    ) -> contact_service_pb2.GetContactStatsResponse:
        """Counts by each dimension; by region and type if none is given."""
        request = contact_service_pb2.GetContactStatsRequest(
            filter=filter, dimensions=dimensions, bucket_limit=bucket_limit
        )
        return await self._connection.call(self._stub.GetContactStats, request)

    async def export(
        self,
        filter: str = "",  # noqa: A002 (the contract's name)
        *,
        format: contact_pb2.ExportFormat.ValueType = contact_pb2.EXPORT_FORMAT_CSV,  # noqa: A002 (the contract's name)
        plain_cells: bool = False,
    ) -> AsyncIterator[contact_service_pb2.ExportContactsResponse]:
        """The bytes of one file with all contacts that pass the filter, piece by piece.

        With `plain_cells`, cells of CSV that a spreadsheet would run as formulas are not guarded.
        """
        request = contact_service_pb2.ExportContactsRequest(filter=filter, format=format, plain_cells=plain_cells)
        async for piece in self._connection.stream(self._stub.ExportContacts, request):
            yield piece

    async def delete(self, phone_number: str, *, etag: str = "", allow_missing: bool = False) -> None:
        """Delete one contact; with `etag` only if it has not changed since."""
        request = contact_service_pb2.DeleteContactRequest(
            phone_number=phone_number, etag=etag, allow_missing=allow_missing
        )
        await self._connection.call(self._stub.DeleteContact, request, safe=allow_missing)

    async def erase(
        self, phone_numbers: Sequence[str], *, purpose: str = "", request_id: str = ""
    ) -> contact_service_pb2.EraseContactsResponse:
        """Erase up to 1,000 numbers permanently, with all stored data about them."""
        request = contact_service_pb2.EraseContactsRequest(
            phone_numbers=phone_numbers, purpose=purpose, request_id=request_id or str(uuid.uuid4())
        )
        # The service scans every contact and every rejected row of the tenant.
        return await self._connection.call(self._stub.EraseContacts, request, timeout_s=ERASE_TIMEOUT_S)
