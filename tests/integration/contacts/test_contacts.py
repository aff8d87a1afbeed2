from __future__ import annotations

import pytest

from bossjy.contacts.v1 import contact_service_pb2 as pb
from bossjy.phone.v1 import number_pb2
from bossjy_numbering import Plan
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import TENANT, enter_tenant, mac, make_tenant

INSERT = """
INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, attributes, created_import_id)
SELECT $1, '+861380013' || lpad(n::text, 4, '0'), 'CN', 1, 'n' || n, '{"a": "b"}', 'imp_1'
FROM generate_series(1, $2) n"""


@pytest.fixture
async def contacts(database: Database, plan: Plan) -> ContactServicer:
    await make_tenant(database, TENANT)
    async with database.tenant(TENANT) as connection:
        await connection.execute(INSERT, TENANT, 25)
    enter_tenant(TENANT)
    return ContactServicer(database, plan, mac)


FIRST = "+8613800130001"


async def test_a_contact_is_read_by_its_number(contacts: ContactServicer) -> None:
    found = (await contacts.GetContact(pb.GetContactRequest(phone_number=FIRST))).contact
    assert (found.phone_number, found.name, found.region_code) == (FIRST, "n1", "CN")
    assert found.number_type == number_pb2.NUMBER_TYPE_MOBILE
    assert dict(found.attributes) == {"a": "b"}
    assert found.created_import_id == "imp_1"
    assert found.etag
    with pytest.raises(BossjyError) as caught:
        await contacts.GetContact(pb.GetContactRequest(phone_number="+8613800139999"))
    assert caught.value.reason is Reason.RESOURCE_NOT_FOUND


@pytest.mark.parametrize("order_by", ["", "phone_number", "phone_number desc"])
async def test_pages_tell_each_contact_once(contacts: ContactServicer, order_by: str) -> None:
    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListContactsRequest(page_size=7, page_token=token, order_by=order_by, count_total=True)
        page = await contacts.ListContacts(request)
        assert page.total_size == 25
        seen += [one.phone_number for one in page.contacts]
        token = page.next_page_token
        if not token:
            break
    expected = [f"+861380013{n:04d}" for n in range(1, 26)]
    assert seen == (expected[::-1] if order_by.endswith("desc") else expected)


async def test_wrong_orders_and_tokens_are_refused(contacts: ContactServicer) -> None:
    token = (await contacts.ListContacts(pb.ListContactsRequest(page_size=1))).next_page_token
    for request, reason in (
        (pb.ListContactsRequest(order_by="nothing"), Reason.ORDER_INVALID),
        (pb.ListContactsRequest(order_by="phone_number up"), Reason.ORDER_INVALID),
        (pb.ListContactsRequest(page_token="x"), Reason.PAGE_TOKEN_INVALID),
        (pb.ListContactsRequest(page_token=token, order_by="phone_number desc"), Reason.PAGE_TOKEN_INVALID),
    ):
        with pytest.raises(BossjyError) as caught:
            await contacts.ListContacts(request)
        assert caught.value.reason is reason


async def test_a_contact_is_deleted_if_nobody_came_between(contacts: ContactServicer, database: Database) -> None:
    etag = (await contacts.GetContact(pb.GetContactRequest(phone_number=FIRST))).contact.etag
    async with database.tenant(TENANT) as connection:
        await connection.execute("UPDATE bossjy.contacts SET name = 'x', update_time = now() WHERE e164 = $1", FIRST)
    with pytest.raises(BossjyError) as caught:
        await contacts.DeleteContact(pb.DeleteContactRequest(phone_number=FIRST, etag=etag))
    assert caught.value.reason is Reason.ETAG_MISMATCH
    etag = (await contacts.GetContact(pb.GetContactRequest(phone_number=FIRST))).contact.etag
    await contacts.DeleteContact(pb.DeleteContactRequest(phone_number=FIRST, etag=etag))
    with pytest.raises(BossjyError) as caught:
        await contacts.DeleteContact(pb.DeleteContactRequest(phone_number=FIRST))
    assert caught.value.reason is Reason.RESOURCE_NOT_FOUND
    await contacts.DeleteContact(pb.DeleteContactRequest(phone_number=FIRST, allow_missing=True))


async def test_another_tenant_has_none_of_them(contacts: ContactServicer, database: Database) -> None:
    await make_tenant(database, "other-1")
    enter_tenant("other-1")
    page = await contacts.ListContacts(pb.ListContactsRequest(count_total=True))
    assert (list(page.contacts), page.total_size) == ([], 0)
    with pytest.raises(BossjyError) as caught:
        await contacts.DeleteContact(pb.DeleteContactRequest(phone_number=FIRST))
    assert caught.value.reason is Reason.RESOURCE_NOT_FOUND
