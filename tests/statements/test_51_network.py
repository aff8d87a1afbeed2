"""Statements 51 and 52: addresses count by network, proxies name clients, and an attacker locks no owner out.

The tests' own address is a trusted proxy of one server, so that they can come from any network.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import made_server, on_parts
from tests.parts import fresh_database
from tests.statements.conftest import PASSWORD, Person, Refused, registered

OF_ADDRESS, OF_ACCOUNT, OF_ALL, OF_TENANT = 8, 3, 6, 20
CALLS_A_MINUTE = 900  # 150 in a burst, then fifteen a second
GUESS = "a wrong password of this test"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _server(parts: EmbeddedParts, folder: Path, **settings: str) -> AsyncIterator[grpc.aio.Channel]:
    async for url in fresh_database(parts.database_url):
        server = made_server(
            folder,
            **on_parts(url, parts.redis_url),
            BOSSJY_LOGIN_FAILURES_PER_ADDRESS=str(OF_ADDRESS),
            BOSSJY_LOGIN_FAILURES_PER_ACCOUNT=str(OF_ACCOUNT),
            BOSSJY_LOGIN_FAILURES_PER_ACCOUNT_OF_ALL=str(OF_ALL),
            BOSSJY_LOGIN_FAILURES_PER_TENANT=str(OF_TENANT),
            BOSSJY_CALLS_PER_MINUTE_PER_ADDRESS=str(CALLS_A_MINUTE),
            **settings,
        )
        try:
            await asyncio.to_thread(server.start)
            async with grpc.aio.insecure_channel(server.target) as channel:
                yield channel
        finally:
            await asyncio.to_thread(server.end)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_proxy(
    parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[grpc.aio.Channel]:
    """A server that trusts the tests' address as a proxy."""
    folder = tmp_path_factory.mktemp("proxied")
    async for channel in _server(parts, folder, BOSSJY_TRUSTED_PROXIES="127.0.0.0/8, 10.0.0.0/8, fd00::/8"):
        yield channel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_to_all(
    parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[grpc.aio.Channel]:
    """A server without trusted proxies."""
    async for channel in _server(parts, tmp_path_factory.mktemp("open")):
        yield channel


def at(*addresses: str) -> tuple[tuple[str, str], ...]:
    """The entries of a call that came over these addresses."""
    return tuple(("x-forwarded-for", address) for address in addresses)


async def login(channel: grpc.aio.Channel, entries: tuple[tuple[str, str], ...], person: Person, word: str) -> Refused:
    fields = {"tenant_id": person.tenant_id, "email": person.email, "password": word}
    return await Person(channel).outcome("Login", metadata=entries, **fields)


async def guesses(channel: grpc.aio.Channel, paths: Iterable[tuple[tuple[str, str], ...]], tag: str) -> Counter[str]:
    """The outcomes of guesses, each at another account of another tenant: they share only the network."""
    ended: Counter[str] = Counter()
    for number, entries in enumerate(paths):
        nobody = Person(channel, tenant_id=f"{tag}-{number}", email=f"{tag}{number}@example.com")
        ended[(await login(channel, entries, nobody, GUESS)).reason] += 1
    return ended


async def new_owner(channel: grpc.aio.Channel, address: str) -> Person:
    """The owner of a new tenant, whose first session comes from that address."""
    owner = await registered(Person(channel))
    return owner if not address else await from_address(channel, owner, address)


async def from_address(channel: grpc.aio.Channel, owner: Person, address: str) -> Person:
    ended = await login(channel, at(address), owner, PASSWORD)
    assert ended.code == "OK", ended
    return owner.holding(ended.answer.tokens, owner.user_id)


def check_one_bucket(ended: Counter[str], began: float) -> None:
    """Check guesses that share a bucket: a burst, then one in two seconds."""
    refilled = (time.monotonic() - began) / 2 + 1
    assert set(ended) == {"LOGIN_REFUSED", "LOGIN_THROTTLED"}, ended
    assert OF_ADDRESS <= ended["LOGIN_REFUSED"] <= OF_ADDRESS + refilled, ended


@pytest.mark.statement(51)
@pytest.mark.parametrize(
    ("tag", "paths"),
    [
        # Sixteen addresses of one /64, each of which would have its own bucket.
        ("six", [at(f"2001:db8:5:1:{number:x}::{number:x}") for number in range(16)] * 2),
        (
            "mapped",
            [at("198.51.100.9"), at("::ffff:198.51.100.9"), at("::ffff:c633:6409"), at("198.51.100.9:4711")] * 8,
        ),
        ("zone", [at("[2001:db8:5:2::1%eth0]:99"), at("2001:db8:5:2::2%1")] * 16),
        # Entries before the first untrusted address from the right may come from the client itself.
        ("invented", [at(f"192.0.2.{number}, 198.51.100.10, 10.1.2.3") for number in range(32)]),
        ("entries", [at(f"192.0.2.{number}", "198.51.100.11, fd00::7") for number in range(32)]),
        # If a list cannot be read, the proxy itself is the client.
        ("broken", [at(f"192.0.2.{number}, unknown") for number in range(32)]),
    ],
)
async def test_51_one_network_has_one_bucket(
    behind_proxy: grpc.aio.Channel, tag: str, paths: list[tuple[tuple[str, str], ...]]
) -> None:
    began = time.monotonic()
    check_one_bucket(await guesses(behind_proxy, paths, tag), began)


@pytest.mark.statement(51)
async def test_51_other_networks_have_buckets_of_their_own(behind_proxy: grpc.aio.Channel) -> None:
    paths = [at(f"2001:db8:6:{number:x}::1") for number in range(16)] + [at(f"203.0.113.{n}") for n in range(16)]
    assert await guesses(behind_proxy, paths, "others") == {"LOGIN_REFUSED": 32}


@pytest.mark.statement(51)
async def test_51_calls_count_by_network(behind_proxy: grpc.aio.Channel) -> None:
    nobody, began = Person(behind_proxy), time.monotonic()
    entries = [at(f"2001:db8:7:1::{number:x}") for number in range(400)]
    ended = Counter([(await nobody.outcome("GetJwks", metadata=one)).reason for one in entries])
    # A bucket of ten seconds' calls, plus refills; a single server has the whole of it.
    assert ended[""] <= (10 + time.monotonic() - began) * CALLS_A_MINUTE / 60 + 1, ended
    assert ended["RATE_LIMITED"], ended
    assert (await nobody.outcome("GetJwks", metadata=at("2001:db8:7:2::1"))).code == "OK"


@pytest.mark.statement(51)
async def test_51_sessions_and_the_audit_log_tell_the_clients_address(behind_proxy: grpc.aio.Channel) -> None:
    owner = await new_owner(behind_proxy, "")
    for given, address, network in (
        ("2001:db8:8:1::9", "2001:db8:8:1::9", "2001:db8:8::/48"),
        ("192.0.2.1, ::ffff:203.0.113.200", "203.0.113.200", "203.0.113.0/24"),
    ):
        session = await from_address(behind_proxy, owner, given)
        listed = (await session.call("ListSessions", metadata=at(given))).sessions
        assert [one.address for one in listed if one.current] == [address]
        events = (await session.call("ListAuditEvents", metadata=at(given), filter='action = "auth.login"')).events
        assert events[0].address == network


@pytest.mark.statement(51)
async def test_51_forwarded_addresses_are_ignored_without_trusted_proxies(open_to_all: grpc.aio.Channel) -> None:
    began = time.monotonic()
    paths = [at(f"192.0.2.{number}") for number in range(16)] + [
        ((name, f"192.0.2.{number}"),)
        for name in ("x-real-ip", "forwarded", "x-envoy-external-address")
        for number in range(8)
    ]
    check_one_bucket(await guesses(open_to_all, paths, "ignored"), began)
    # The tests' address is not a trusted proxy here: it is the client's.
    session = await registered(Person(open_to_all))
    listed = (await session.call("ListSessions", metadata=at("192.0.2.1"))).sessions
    assert [one.address for one in listed] == ["127.0.0.1"]


async def emptied(channel: grpc.aio.Channel, owner: Person, first: int) -> tuple[int, float]:
    """Guess at an account from one network after another until throttled. Returns the admitted guesses and the time."""
    for let_through in range(60):
        number = first + let_through
        ended = await login(channel, at(f"198.18.{number // 200}.{number % 200 + 1}"), owner, GUESS)
        if ended.reason == "LOGIN_THROTTLED":
            assert (ended.code, ended.retry) == ("RESOURCE_EXHAUSTED", True)
            return let_through, time.monotonic()
        assert ended.reason == "LOGIN_REFUSED", ended
    raise AssertionError("nobody slows a distributed attack down")


@pytest.mark.statement(52)
async def test_52_an_attack_from_many_networks_keeps_the_owner_from_nothing(behind_proxy: grpc.aio.Channel) -> None:
    home, began = "203.0.113.7", time.monotonic()
    owner = await new_owner(behind_proxy, home)
    let_through, _ = await emptied(behind_proxy, owner, 0)
    assert OF_ALL <= let_through <= OF_ALL + (time.monotonic() - began) / 10 + 1
    first = 100
    for _ in range(5):
        await emptied(behind_proxy, owner, first)
        first += 60
        await from_address(behind_proxy, owner, home)


@pytest.mark.statement(52)
async def test_52_an_attack_on_the_tenant_keeps_no_owner_out(behind_proxy: grpc.aio.Channel) -> None:
    home = "2001:db8:9:9::1"
    owner = await new_owner(behind_proxy, home)
    for number in range(200):
        other = Person(behind_proxy, tenant_id=owner.tenant_id, email=f"guess{number}@example.com")
        ended = await login(behind_proxy, at(f"198.19.1.{number + 1}"), other, GUESS)
        if ended.reason == "LOGIN_THROTTLED":
            break
    else:
        raise AssertionError("nobody slows a distributed attack on a tenant down")
    # Another address of the same /64 is the same network.
    await from_address(behind_proxy, owner, "2001:db8:9:9:ffff::2")


@pytest.mark.statement(52)
async def test_52_the_attacker_learns_nothing_meanwhile(behind_proxy: grpc.aio.Channel) -> None:
    """Neither by the right password from an unknown network, nor by a wrong one from the account's own."""
    home, first = "203.0.113.8", 500
    owner = await new_owner(behind_proxy, home)
    for _ in range(6):
        _, since = await emptied(behind_proxy, owner, first)
        first += 60
        right = await login(behind_proxy, at(f"198.51.100.{first % 200}"), owner, PASSWORD)
        if time.monotonic() - since < 8:  # otherwise the account may have had another attempt
            break
    else:
        pytest.skip("the machine was too busy to make two logins in eight seconds, six times")
    assert (right.code, right.reason, right.retry) == ("RESOURCE_EXHAUSTED", "LOGIN_THROTTLED", True)
    # The owner's own network has its own attempts, and no more.
    for _ in range(OF_ACCOUNT):
        wrong = await login(behind_proxy, at(home), owner, GUESS)
        assert wrong.reason in ("LOGIN_THROTTLED", "LOGIN_REFUSED")
    assert (await login(behind_proxy, at(home), owner, PASSWORD)).reason == "LOGIN_THROTTLED"
    # No other account of that network is affected.
    await from_address(behind_proxy, await new_owner(behind_proxy, home), home)
