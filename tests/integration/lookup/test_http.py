"""The generic HTTP provider against a real server on loopback: good answers, and every bad one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from bossjy_server.lookup.http import HttpProvider
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.lookup.provider import Answer, ProviderBusy, ProviderFailed, ProviderFaltered
from tests.integration.lookup.loopback import NUMBER, Loopback, loopback, reply, told
from tests.integration.rpc.certificates import Authority

NOW = 1_800_000_000.0


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with loopback() as one:
        yield one


@pytest.fixture
async def provider(server: Loopback) -> AsyncIterator[HttpProvider]:
    options = LookupOptions(url=server.url, header="X-Key", most_bytes=1000, timeout_s=1.0)
    one = HttpProvider(replace(options, secret="quiet harbour"), clock=lambda: NOW)
    yield one
    await one.close()


async def failure(provider: HttpProvider) -> ProviderFailed:
    """The error of one query. Its text contains neither the number, nor the address, nor the secret."""
    with pytest.raises(ProviderFailed) as caught:
        await provider.ask(NUMBER)
    assert not any(part in str(caught.value) for part in ("13800000000", "127.0.0.1", "harbour"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


async def test_a_good_answer(server: Loopback, provider: HttpProvider) -> None:
    assert await provider.ask(NUMBER) == Answer("Moon Mobile", "active", ported=True, time_s=NOW)
    (head,) = server.heads
    assert head.startswith("GET /v1/numbers/%2B8613800000000?kind=line HTTP/1.1\r\n")
    lines = head.lower().split("\r\n")
    assert {"x-key: quiet harbour", "accept: application/json", "accept-encoding: identity"} <= set(lines)


async def test_answers_are_cleaned(server: Loopback, provider: HttpProvider) -> None:
    server.first = [
        told(carrier="月\n" + "x" * 200, line_status=7, ported="yes"),
        told(carrier={"name": "deep"}, line_status=True),
        reply(body=b"[]"),
    ]
    assert await provider.ask(NUMBER) == Answer("月" + "x" * 99, "7", None, NOW)
    assert await provider.ask(NUMBER) == Answer("", "", None, NOW)
    assert await provider.ask(NUMBER) == Answer("", "", None, NOW)


async def test_404_is_an_answer(server: Loopback, provider: HttpProvider) -> None:
    server.then = reply(404, b"no such number")
    assert await provider.ask(NUMBER) is None


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [
        (429, "7", 7.0),
        (503, "7", 7.0),
        (429, "0", 0.0),
        (429, "", 1.0),  # it states no delay
        (429, "soon", 1.0),
        (429, "99999999999999999999", 3600.0),
        (503, formatdate(NOW + 30, usegmt=True), 30.0),
        (503, formatdate(NOW - 30), 0.0),
    ],
)
async def test_a_busy_provider_says_how_long(
    server: Loopback, provider: HttpProvider, status: int, retry_after: str, pause_s: float
) -> None:
    server.then = reply(status, retry_after=retry_after)
    error = await failure(provider)
    assert isinstance(error, ProviderBusy)
    assert error.pause_s == pytest.approx(pause_s)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_faults_of_a_moment(server: Loopback, provider: HttpProvider, status: int) -> None:
    server.then = reply(status)
    assert isinstance(await failure(provider), ProviderFaltered)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 401, 403, 501])
async def test_other_statuses_are_failures(server: Loopback, provider: HttpProvider, status: int) -> None:
    server.then = reply(status, location=f"http://127.0.0.1:{server.port}/elsewhere")
    error = await failure(provider)
    assert type(error) is ProviderFailed
    assert str(status) in str(error)
    assert len(server.heads) == 1  # a redirect is not followed


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"carrier": ', b'"text"', b"7", b"null", b'{"carrier": "\xff"}'])
async def test_broken_json(server: Loopback, provider: HttpProvider, body: bytes) -> None:
    server.then = reply(body=body)
    assert "not a JSON" in str(await failure(provider))


async def test_a_huge_body_is_refused_with_or_without_its_length(server: Loopback, provider: HttpProvider) -> None:
    huge = b"[" + b" " * 5_000_000 + b"]"
    unsaid = b"HTTP/1.1 200 OK\r\n\r\n" + huge
    server.first = [reply(body=huge), unsaid, reply(404, huge)]
    for _ in range(3):
        assert "more than 1000 bytes" in str(await failure(provider))


async def test_a_compressed_body_is_refused(server: Loopback, provider: HttpProvider) -> None:
    server.then = reply(body=b"\x1f\x8b", content_encoding="gzip")
    assert "compressed" in str(await failure(provider))


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{", b"220 mail server\r\n\r\n"], ids=str
)
async def test_an_interrupted_connection_or_another_protocol(
    server: Loopback, provider: HttpProvider, answer: bytes | None
) -> None:
    server.then = answer
    assert isinstance(await failure(provider), ProviderFaltered)


async def test_nobody_listens() -> None:
    provider = HttpProvider(LookupOptions(url="http://127.0.0.1:1/{e164}"))
    assert isinstance(await failure(provider), ProviderFaltered)
    await provider.close()


async def test_a_silent_provider_is_not_waited_for(server: Loopback, provider: HttpProvider) -> None:
    server.delay_s = 5.0
    began = asyncio.get_running_loop().time()
    assert "in time" in str(await failure(provider))
    assert asyncio.get_running_loop().time() - began < 3


async def test_cookies_are_not_kept(server: Loopback, provider: HttpProvider) -> None:
    server.then = reply(body=b"{}", set_cookie="track=1; Path=/")
    await provider.ask(NUMBER)
    await provider.ask(NUMBER)
    assert "cookie" not in server.heads[1].lower()


async def test_proxies_of_the_environment_are_not_used(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    provider = HttpProvider(LookupOptions(url=server.url))
    assert await provider.ask(NUMBER)
    await provider.close()


@pytest.mark.parametrize("bare", [False, True])
async def test_only_authorities_of_the_operator_are_trusted_where_a_file_names_them(
    tmp_path: Path, *, bare: bool
) -> None:
    mine, other = Authority("Mine", bare=bare), Authority("Other", bare=bare)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*mine.sign("provider").write(tmp_path))
    async with loopback(served) as server:
        for authority, trusted in ((mine, True), (other, False), (None, False)):
            options = LookupOptions(url=server.url)
            if authority:
                (tmp_path / "ca.pem").write_bytes(authority.certificate)
                options = LookupOptions(url=server.url, ca_file=str(tmp_path / "ca.pem"))
            options.check()
            provider = HttpProvider(replace(options, secret="quiet harbour"), options.tls_context())
            if trusted:
                assert await provider.ask(NUMBER)
            else:
                assert isinstance(await failure(provider), ProviderFaltered)
            await provider.close()
        assert len(server.heads) == 1
