"""Page tokens and pages: contents of a token, its scope and lifetime, and the end of a page."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

from bossjy.auth.v1 import auth_service_pb2 as auth
from bossjy.contacts.v1 import contact_pb2
from bossjy.contacts.v1 import contact_service_pb2 as contacts
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.storage.pages import Pages

NUMBER = "+442079460031"
TIME = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)


def mac_of(secret: bytes) -> Any:
    return lambda purpose, *parts: hmac.digest(secret, purpose.encode() + b"".join(parts), "sha256")


MAC = mac_of(b"k" * 32)


def token_of(pages: Pages, request: Any, *position: Any, owner: tuple[str, ...] = ("t",)) -> str:
    """The token after a row at a position."""
    kinds = [type(one) for one in position]
    page = pages.open(type(request)(**{**fields(request), "page_size": 1}), *owner, kinds=kinds)
    _, token = page.answer(["a", "b"], lambda _: contact_pb2.Contact(), lambda _: position)
    return token


def fields(request: Any) -> dict[str, Any]:
    return {field.name: value for field, value in request.ListFields()}


def read(pages: Pages, request: Any, token: str, *kinds: type[Any], owner: tuple[str, ...] = ("t",)) -> Any:
    return pages.open(type(request)(**{**fields(request), "page_token": token}), *owner, kinds=kinds).cursor


def refused(pages: Pages, request: Any, token: str, *kinds: type[Any], owner: tuple[str, ...] = ("t",)) -> bool:
    with pytest.raises(InvalidArgument) as caught:
        read(pages, request, token, *kinds, owner=owner)
    # An expected refusal has no cause, so it is not logged as a failure.
    return caught.value.reason is Reason.PAGE_TOKEN_INVALID and caught.value.__cause__ is None


LISTED = contacts.ListContactsRequest(filter="name = x")


def test_a_token_brings_its_position_back_also_after_a_restart() -> None:
    token = token_of(Pages(MAC), LISTED, TIME, NUMBER)
    assert read(Pages(MAC), LISTED, token, datetime, str) == (TIME, NUMBER)
    assert len(token) < 200


def test_a_token_reveals_nothing_of_its_position() -> None:
    token = token_of(Pages(MAC), LISTED, NUMBER)
    sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for part in (NUMBER, NUMBER[1:], "2079460", "4420"):
        assert part.encode() not in sealed
        assert part not in token


def test_a_token_of_another_key_list_owner_or_request_is_refused() -> None:
    pages = Pages(MAC)
    token = token_of(pages, LISTED, "x")
    assert refused(Pages(mac_of(b"other")), LISTED, token, str)
    assert refused(pages, auth.ListUsersRequest(filter="name = x"), token, str)
    assert refused(pages, LISTED, token, str, owner=("u",))
    assert refused(pages, LISTED, token, str, owner=("t", "user"))
    assert refused(pages, LISTED, token, str, owner=())
    assert refused(pages, contacts.ListContactsRequest(filter="name = y"), token, str)
    assert refused(pages, contacts.ListContactsRequest(filter="name = x", order_by="phone_number"), token, str)
    assert read(pages, contacts.ListContactsRequest(filter="name = x", page_size=9, count_total=True), token, str)


def test_a_position_of_other_types_is_refused() -> None:
    pages = Pages(MAC)
    token = token_of(pages, LISTED, "x", 1)
    for kinds in ((str,), (str, int, str), (int, str), (str, datetime), (datetime, int), (str, str), ()):
        assert refused(pages, LISTED, token, *kinds)
    assert read(pages, LISTED, token, str, int) == ("x", 1)


def test_a_token_ends_after_three_days() -> None:
    now = 1_800_000_000.0
    token = token_of(Pages(MAC, lambda: now), LISTED, "x")
    assert read(Pages(MAC, lambda: now + 3 * 86_400 - 1), LISTED, token, str) == ("x",)
    assert read(Pages(MAC, lambda: now - 60), LISTED, token, str) == ("x",)  # another worker's clock
    assert refused(Pages(MAC, lambda: now + 3 * 86_400 + 1), LISTED, token, str)


@pytest.mark.parametrize(
    "token",
    ["A", "AA", "é", "=", " ", "\n", "AQ", "AQ==", "x" * 512, "x" * 513, "x" * 10_000_000, "AQAA+/", "-_"],
)
def test_text_that_is_no_token_is_refused(token: str) -> None:
    pages = Pages(MAC)
    assert refused(pages, LISTED, token, str)


def test_every_changed_token_is_refused() -> None:
    pages = Pages(MAC)
    token = token_of(pages, LISTED, "x", 1)
    for place in range(len(token)):
        for letter in "Aaz09-_=":
            if letter != token[place]:
                assert refused(pages, LISTED, token[:place] + letter + token[place + 1 :], str, int)


@pytest.mark.parametrize(("asked", "size"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_page_sizes_are_those_of_the_contract(asked: int, size: int) -> None:
    page = Pages(MAC).open(contacts.ListContactsRequest(page_size=asked), "t", kinds=(str,))
    assert (page.size, page.limit, page.cursor) == (size, size + 1, None)


def test_a_page_ends_where_its_rows_exceed_the_bytes_of_a_response() -> None:
    pages = Pages(MAC)

    def listed(names: list[str], request: contacts.ListContactsRequest) -> tuple[list[str], str]:
        page = pages.open(request, "t", kinds=(int,))
        start = page.cursor[0] + 1 if page.cursor else 0
        rows = list(enumerate(names))[start : start + page.limit]
        answers, token = page.answer(rows, lambda row: contact_pb2.Contact(name=row[1]), lambda row: (row[0],))
        return [one.name for one in answers], token

    names = ["a" * 1_000_000, "b" * 1_000_000, "c" * 1_000_000, "d" * 1_000_000, "e" * 5_000_000, "f"]
    found, pages_read, token = list[str](), 0, ""
    while token or not pages_read:
        some, token = listed(names, contacts.ListContactsRequest(page_token=token))
        assert len(some) == 1 or sum(map(len, some)) <= 3 * 1024 * 1024
        found += some
        pages_read += 1
    assert found == names
    assert pages_read == 4
