"""All lists of the contracts, found by the descriptors: the same page sizes, page tokens and filters."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.common.v1 import request_pb2
from bossjy_server.rpc.method import Method
from tests.contract.calls import METHODS, send
from tests.contract.tenant import known_of
from tests.contract.values import TIMES, Known
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")


def has(method: Method, name: str) -> bool:
    return name in method.request_class.DESCRIPTOR.fields_by_name


LISTS = [method for method in METHODS if has(method, "page_size") or has(method, "page_token")]
FILTERED = [method for method in METHODS if has(method, "filter")]
# A text field, an enum field with one of its values, and a time field of each resource.
FIELDS = {
    "ListUsers": ("display_name", "role", "admin", "create_time"),
    "ListAuditEvents": ("action", "", "", "event_time"),
    "ListImports": ("file_name", "state", "succeeded", "create_time"),
    **dict.fromkeys(
        ("ListContacts", "ExportContacts", "GetContactStats"), ("name", "number_type", "MOBILE", "create_time")
    ),
}
GOOD = (
    "",
    "   ",
    "{text} = ann",
    '{text} = "ann"',
    "{text} = 'ann'",
    "{text}!=ann",
    '{text} = "a\\"b\\\\c"',
    "{text} = 'a\\'b'",
    "{text} : ann",
    "{text}:*",
    '{text} : "*"',
    "ann",
    '"ann smith"',
    "NOT ann",
    "-ann",
    "-(ann OR {text} = bob)",
    "{text} = a AND {text} = b",
    "{text} = a OR {text} = b AND NOT {text} = c",
    "({text} = a OR ({text} = b)) AND -{text} = c",
    "{time} >= 2026-01-31T00:00:00Z AND {time} < 2026-02-01T00:00:00+09:00",
    '{time} != "2026-01-31"',
    "{time} : 2026-01-31",
    "{time}:*",
    "{text} = 张三",
    " AND ".join(["{text}=a"] * 50),
)
NAMES = ("{name} = {value}", '{name} = "{value}"', "{name}:{value}", "{name} != {upper}", "{name}:*")
BAD = (
    "{text}",
    "{text} =",
    "{text} = a {text} = b",
    "{text} < a",
    "{text} == a",
    "nothing = a",
    "{text} = a AND",
    "({text} = a",
    "{text} = a)",
    '{text} = "a',
    "= a",
    "{time} > yesterday",
    "{time} > 1",
    "AND",
    "NOT",
    "(" * 60,
    "NOT " * 60 + "{text} = a",
    " AND ".join(["{text}=a"] * 51),
    "{text} = a; DROP TABLE bossjy.users",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(shared_service: Service) -> AsyncIterator[Known]:
    """The data of the tenant of the module's service."""
    yield await known_of(shared_service)


def request_of(method: Method, known: Known, **fields: Any) -> bytes:
    request: Any = method.request_class(**fields)
    if has(method, "import_id"):
        request.import_id = known.ids["import_id"][0]
    return bytes(request.SerializeToString())


def real_page(method: Method, known: Known) -> Any:
    """The request of the second page of a list."""
    return method.request_class.FromString(dict(known.pages)[method.name])


async def test_the_lists_are_known() -> None:
    assert len(LISTS) >= 9
    assert {method.name for method in FILTERED} == set(FIELDS)


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
async def test_a_list_has_a_page_token_and_states_its_page_sizes(method: Method) -> None:
    fields = method.request_class.DESCRIPTOR.fields_by_name
    rule = fields["page_size"].GetOptions().Extensions[request_pb2.page]
    assert 0 < rule.default_size <= rule.max_size <= 1000
    assert "page_token" in fields


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
async def test_a_page_size_above_the_maximum_is_reduced_to_it(
    shared_service: Service, known: Known, method: Method
) -> None:
    rule = method.request_class.DESCRIPTOR.fields_by_name["page_size"].GetOptions().Extensions[request_pb2.page]
    for size in (0, 1, rule.max_size, rule.max_size + 1, 2**31 - 1):
        raw = request_of(method, known, page_size=size)
        assert await send(shared_service, method, [raw]) == ("OK", ""), size
    for size in (-1, -(2**31)):
        raw = request_of(method, known, page_size=size)
        assert await send(shared_service, method, [raw]) == ("INVALID_ARGUMENT", "INVALID_FIELD"), size


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
async def test_a_page_token_is_valid_only_for_its_own_list(
    shared_service: Service, known: Known, method: Method
) -> None:
    second = real_page(method, known)
    assert await send(shared_service, method, [second.SerializeToString()]) == ("OK", "")
    second.page_size = 7
    assert await send(shared_service, method, [second.SerializeToString()]) == ("OK", "")
    foreign = [real_page(other, known).page_token for other in LISTS if other is not method]
    tokens = [*foreign, *changed(second.page_token), *made_up(shared_service.tenant_id, known)]
    for token in tokens:
        second.page_token = token
        ended = await send(shared_service, method, [second.SerializeToString()])
        assert ended == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"), token[:100]


def changed(token: str) -> list[str]:
    """A token with one character changed, truncated, or repeated."""
    rng = random.Random(token)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    one = [
        token[:place] + rng.choice(letters.replace(token[place], "")) + token[place + 1 :]
        for place in range(len(token))
    ]
    cut = [token[:place] for place in range(1, len(token), 7)]
    return [*one, *cut, token * 2, f"{token}=", f" {token}", f"{token}\n", token.lower(), token[::-1]]


def made_up(tenant_id: str, known: Known) -> list[str]:
    """Tokens that anybody can make: of earlier releases, of other types, oversized."""
    listings: list[list[Any]] = [["imports", tenant_id, ""], ["contacts", tenant_id, "", ""]]
    listings += [
        ["rejects", tenant_id, known.ids["import_id"][0], 0],
        ["conflicts", tenant_id, known.ids["import_id"][0]],
    ]
    cursors = (
        b'["a","b"]',
        b"12",
        b"null",
        b"[9223372036854775808,1]",
        b'["0001-01-01T00:00:00+09:00","x"]',
        b'["+1"]',
    )
    made = []
    for listing in listings:
        for cursor in cursors:
            check = hashlib.blake2b(orjson.dumps(listing) + cursor, digest_size=8, person=b"bossjy-page").digest()
            made.append(base64.urlsafe_b64encode(check + cursor).rstrip(b"=").decode())
    return [*made, "7", "é", "\U0001f600", "=", "x" * 513, "x" * 1_000_000]


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
async def test_a_page_token_is_bound_to_the_request_and_the_tenant(
    shared_service: Service, known: Known, method: Method
) -> None:
    second = real_page(method, known)
    other_values = {
        "filter": "NOT nobody",
        "order_by": "create_time",
        "reason": 1,
        "import_id": known.ids["import_id"][1],
        "calling_code": 1,
        "language": "zh",
    }
    for name, value in other_values.items():
        if has(method, name):
            other = method.request_class.FromString(second.SerializeToString())
            setattr(other, name, value)
            ended = await send(shared_service, method, [other.SerializeToString()])
            assert ended == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"), name
    stub = auth_service_pb2_grpc.AuthServiceStub(shared_service.channel)
    register = auth_service_pb2.RegisterRequest(
        tenant_display_name="Other", email="other@example.org", password=PASSWORD
    )
    stranger = (await stub.Register(register)).tokens.access_token
    ended = await send(shared_service, method, [second.SerializeToString()], stranger)
    assert ended == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID")


@pytest.mark.parametrize("method", FILTERED, ids=lambda method: method.name)
async def test_every_list_accepts_the_same_filters(shared_service: Service, known: Known, method: Method) -> None:
    text, name, value, time = FIELDS[method.name]
    for form in (*GOOD, *(NAMES if name else ())):
        written = form.format(text=text, name=name, value=value, upper=value.upper(), time=time)
        raw = request_of(method, known, filter=written)
        assert await send(shared_service, method, [raw]) == ("OK", ""), written
    for form in BAD:
        raw = request_of(method, known, filter=form.format(text=text, time=time))
        ended = await send(shared_service, method, [raw])
        assert ended == ("INVALID_ARGUMENT", "FILTER_INVALID"), form
    raw = request_of(method, known, filter="x" * 1001)
    assert await send(shared_service, method, [raw]) == ("INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize("method", FILTERED, ids=lambda method: method.name)
async def test_times_at_the_edges_of_the_calendar_are_compared_or_refused(
    shared_service: Service, known: Known, method: Method
) -> None:
    time = FIELDS[method.name][3]
    for value in TIMES:
        for form in (f'{time} > "{value}"', f"{time} <= '{value}'", f"NOT {time} = {value}", f"{time}:{value}"):
            ended = await send(shared_service, method, [request_of(method, known, filter=form)])
            assert ended in {("OK", ""), ("INVALID_ARGUMENT", "FILTER_INVALID")}, form
