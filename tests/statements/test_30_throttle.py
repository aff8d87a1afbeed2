"""Statement 30 by tenant and by address: a server with low limits, so that a test can reach them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import made_server, on_parts
from tests.parts import fresh_database
from tests.statements.conftest import PASSWORD, Person, Refused, registered

AT_ONCE = 3
TRIES = 12  # at most the number of slots for passwords


async def server_of(parts: EmbeddedParts, folder: Path, **limits: str) -> AsyncIterator[Person]:
    """A caller without credentials, at a server with these limits."""
    async for url in fresh_database(parts.database_url):
        server = made_server(folder, **on_parts(url, parts.redis_url) | limits)
        try:
            await asyncio.to_thread(server.start)
            async with grpc.aio.insecure_channel(server.target) as channel:
                yield Person(channel, server.target)
        finally:
            await asyncio.to_thread(server.end)


@pytest.fixture
async def few_a_tenant(parts: EmbeddedParts, tmp_path: Path) -> AsyncIterator[Person]:
    async for one in server_of(
        parts,
        tmp_path,
        BOSSJY_LOGIN_FAILURES_PER_TENANT=str(AT_ONCE),
        BOSSJY_LOGIN_FAILURES_PER_ADDRESS="100000",
    ):
        yield one


@pytest.fixture
async def few_an_address(parts: EmbeddedParts, tmp_path: Path) -> AsyncIterator[Person]:
    async for one in server_of(parts, tmp_path, BOSSJY_LOGIN_FAILURES_PER_ADDRESS=str(AT_ONCE)):
        yield one


async def guesses(nobody: Person, tenant_id: str) -> list[Refused]:
    """Wrong logins, each to another account, so that no account reaches its own limit."""
    names = [f"guess{number}@example.com" for number in range(TRIES)]
    return await asyncio.gather(
        *(nobody.outcome("Login", tenant_id=tenant_id, email=one, password="a wrong password") for one in names)
    )


def check_slowed(ended: list[Refused]) -> None:
    reasons = Counter(one.reason for one in ended)
    assert set(reasons) == {"LOGIN_REFUSED", "LOGIN_THROTTLED"}, reasons
    assert reasons["LOGIN_REFUSED"] >= AT_ONCE
    throttled = [one for one in ended if one.reason == "LOGIN_THROTTLED"]
    assert {(one.code, one.retry) for one in throttled} == {("RESOURCE_EXHAUSTED", True)}


async def logs_in(person: Person) -> None:
    """Nothing is locked: the right password passes after a short time."""
    async with asyncio.timeout(30):
        while True:
            ended = await Person(person.channel).outcome(
                "Login", tenant_id=person.tenant_id, email=person.email, password=PASSWORD
            )
            if ended.code == "OK":
                return
            assert ended.reason == "LOGIN_THROTTLED"
            await asyncio.sleep(0.1)


@pytest.mark.statement(30)
async def test_30_guesses_over_many_accounts_are_slowed_down_by_tenant(few_a_tenant: Person) -> None:
    owner, other = await registered(few_a_tenant), await registered(few_a_tenant, "Other")
    check_slowed(await guesses(few_a_tenant, owner.tenant_id))
    # Another tenant has its own failures, and users who are logged in still work.
    await other.login()
    assert (await owner.outcome("GetMe")).code == "OK"
    await logs_in(owner)


@pytest.mark.statement(30)
async def test_30_guesses_over_many_tenants_are_slowed_down_by_address(few_an_address: Person) -> None:
    owner = await registered(few_an_address)
    names = [f"tenant-{number}" for number in range(TRIES)]
    check_slowed([one for name in names[:2] for one in await guesses(few_an_address, name)])
    assert (await owner.outcome("GetMe")).code == "OK"
    await logs_in(owner)
