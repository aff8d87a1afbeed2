"""Contacts read, listed and deleted."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server.contacts import store
from bossjy_server.contacts.records import Contact
from bossjy_server.errors import Aborted, InvalidArgument, NotFound, Reason
from bossjy_server.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page of contacts; `total` is None unless it was asked for."""

    contacts: list[Contact]
    total: int | None


class Contacts:
    """What is done with the contacts of a tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant_id: str, e164: str) -> Contact:
        """Read a contact. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            found = await store.find_contact(connection, tenant_id, e164)
        if found is None:
            raise NotFound("contact")
        return found

    async def list_page(
        self, tenant_id: str, filter_text: str, order_by: str, *, after: str, limit: int, count_total: bool
    ) -> ContactPage:
        """A page behind `after`. Raises InvalidArgument for an order or a filter that is not served."""
        if filter_text.strip():
            raise InvalidArgument(
                Reason.FILTER_INVALID, "this release does not filter contacts yet", metadata={"position": "0"}
            )
        words = order_by.split()
        if words not in ([], ["phone_number"], ["phone_number", "desc"]):
            raise InvalidArgument(Reason.ORDER_INVALID, "contacts can be ordered by phone_number, or phone_number desc")
        async with self._database.tenant(tenant_id) as connection:
            contacts = await store.list_contacts(connection, tenant_id, after, limit, descending=words[-1:] == ["desc"])
            total = await store.count_contacts(connection, tenant_id) if count_total else None
        return ContactPage(contacts, total)

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
