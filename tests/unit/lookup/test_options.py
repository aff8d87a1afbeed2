"""Settings of live look-ups: unusable ones are refused at start, and the secret is never shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bossjy_server.config import Settings, read_settings
from bossjy_server.lookup.options import LookupOptions

GOOD = LookupOptions(url="https://numbers.example/v1/{e164}")


@pytest.mark.parametrize(
    "url",
    [
        "https://numbers.example/v1/{e164}",
        "https://numbers.example/?number={e164}&kind=line",
        "http://127.0.0.1:9/{e164}",
        "http://[::1]/{e164}",
        "http://localhost/{e164}",
    ],
)
def test_good_addresses(url: str) -> None:
    replace(GOOD, url=url).check()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": "ftp://numbers.example/{e164}"}, "must begin with `https://` and name a host"),
        ({"url": "https:///{e164}"}, "name a host"),
        ({"url": "http://numbers.example/{e164}"}, "only for this machine"),
        ({"url": "https://numbers.example/"}, "in its path or query"),
        ({"url": "https://{e164}.example/{e164}"}, "in its path or query"),
        ({"url": "https://user:hidden@numbers.example/{e164}"}, "no password"),
        ({"carrier": "carrier"}, "JSON pointer"),
        ({"ported": "/~9"}, "JSON pointer"),
        ({"header": "X Key"}, "BOSSJY_LOOKUP_HEADER"),
        ({"header": "X-Key:\r\nHost"}, "BOSSJY_LOOKUP_HEADER"),
        ({"url": "http://127.0.0.1/{e164}", "ca_file": "ca.pem"}, "BOSSJY_LOOKUP_CA_FILE needs"),
    ],
)
def test_unusable_settings(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        replace(GOOD, **changed).check()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("secret", ["one\ntwo", "schlüssel"])
def test_a_secret_that_no_header_can_have(secret: str) -> None:
    with pytest.raises(ValueError, match="one line of printable ASCII") as caught:
        replace(GOOD, secret=secret).check()
    assert secret not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\n"], ids=repr)
def test_a_file_without_authorities(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(ValueError, match="contains no certificates in PEM"):
        replace(GOOD, ca_file=str(tmp_path / "ca.pem")).tls_context()


def test_settings_become_options_and_do_not_show_the_secret() -> None:
    settings = read_settings(
        {
            "BOSSJY_LOOKUP_URL": "https://numbers.example/{e164}?key=hidden",
            "BOSSJY_LOOKUP_SECRET": "quiet harbour",
            "BOSSJY_LOOKUP_CARRIER": "/a",
            "BOSSJY_LOOKUPS_PER_DAY": "7",
            "BOSSJY_LOOKUPS_PER_DAY_PER_TENANT": "3",
            "BOSSJY_LOOKUP_CA_FILE": "/a/ca.pem",
        }
    )
    options = settings.lookup
    assert options == LookupOptions(
        url="https://numbers.example/{e164}?key=hidden",
        secret="quiet harbour",
        ca_file="/a/ca.pem",
        carrier="/a",
        per_day=7,
        tenant_per_day=3,
    )
    shown = repr(settings) + repr(options)
    assert "harbour" not in shown
    assert "hidden" not in shown
    assert Settings().lookup == LookupOptions()
