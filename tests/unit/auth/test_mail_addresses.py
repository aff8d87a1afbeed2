"""Mail addresses that look the same are equal; those with invisible characters are refused."""

from __future__ import annotations

import pytest

from bossjy_server.auth.mail_addresses import check_email, email_key, former_email_key
from bossjy_server.errors import InvalidArgument, Reason

INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad\u202e\u2066\ufe0f\U000e0101\U000e0041\u034f\u3164\u115f\u061c\u180e"


@pytest.mark.parametrize("char", INVISIBLE)
def test_invisible_characters_are_ignored_at_login_and_refused_in_new_addresses(char: str) -> None:
    for address in (f"an{char}n@example.org", f"{char}ann@example.org", f"ann@example.org{char}"):
        assert email_key(address) == "ann@example.org"
        with pytest.raises(InvalidArgument) as caught:
            check_email(address, field="e")
        assert caught.value.reason is Reason.INVALID_FIELD
        assert caught.value.violations[0].field == "e"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ANN@Example.ORG"),
        ("ann@example.org", "\uff41nn@example.org"),
        ("ann@example.org", "  ann@example.org"),
        ("caf\u00e9@example.org", "cafe\u0301@example.org"),
        ("strasse@example.org", "Stra\u00dfe@example.org"),
        ("fi@example.org", "\ufb01@example.org"),
        ("\u03c9@example.org", "\u2126@example.org"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)
    assert email_key(email_key(other)) == email_key(other)


@pytest.mark.parametrize(
    "address", ["ann@example.org", "caf\u00e9@example.org", "\uff41nn@example.org", "我@例子.中国"]
)
def test_addresses_are_accepted(address: str) -> None:
    check_email(address)


@pytest.mark.parametrize(
    "address",
    ["ann\u3000b@example.org", "ann@exam\uff20ple.org", "a\u0007b@example.org", "\ufdfa" * 100 + "@example.org"],
)
def test_invalid_addresses_in_normal_form_are_refused(address: str) -> None:
    with pytest.raises(InvalidArgument):
        check_email(address)


def test_the_form_of_earlier_releases_is_known() -> None:
    assert former_email_key(" \uff21nn@Example.org ") == "\uff41nn@example.org"
