"""Database reads per call: none with a token, one in five seconds with a key, right or wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import Reason, Unauthenticated
from bossjy_server.storage.postgres import Database
from tests.integration.auth.conftest import Clock, Opened, User, reason_of
from tests.integration.auth.test_api_keys import new_key


@dataclass
class Uses:
    """Transactions of the pool from now on. `gate` delays them before they begin."""

    tenants: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def uses(monkeypatch: pytest.MonkeyPatch) -> Uses:
    seen, begin = Uses(), Database.tenant
    seen.gate.set()

    @asynccontextmanager
    async def counted(database: Database, tenant_id: str) -> AsyncIterator[Any]:
        seen.tenants.append(tenant_id)
        await seen.gate.wait()
        async with begin(database, tenant_id) as connection:
            yield connection

    monkeypatch.setattr(Database, "tenant", counted)
    return seen


async def authenticate(user: User) -> str:
    return (await user.auth.authenticator.authenticate(f"Bearer {user.credential}")).user_id


async def test_a_token_costs_no_read(owner: User, uses: Uses) -> None:
    for _ in range(20):
        await authenticate(owner)
    assert not uses.tenants


async def test_a_key_costs_one_read_in_five_seconds(owner: User, uses: Uses, clock: Clock) -> None:
    key = await new_key(owner)
    uses.tenants.clear()
    for _ in range(3):
        for _ in range(20):
            await authenticate(key)
        clock.ahead_s += 5.1
    assert uses.tenants == [owner.tenant_id] * 3


async def test_of_many_calls_with_a_key_one_reads(owner: User, uses: Uses) -> None:
    key = await new_key(owner)
    uses.tenants.clear()
    uses.gate.clear()
    calls = [asyncio.create_task(authenticate(key)) for _ in range(50)]
    while not uses.tenants:
        await asyncio.sleep(0.05)
    calls[0].cancel()  # the reading call: the others still get its answer
    uses.gate.set()
    assert await asyncio.gather(*calls[1:]) == [owner.user_id] * 49
    assert uses.tenants == [owner.tenant_id]


async def test_a_refused_key_costs_one_read_in_five_seconds(owner: User, uses: Uses, clock: Clock) -> None:
    key = await new_key(owner)
    wrong = replace(key, credential=key.credential[:-6] + "AAAAAA")
    uses.tenants.clear()
    for _ in range(2):
        for _ in range(10):
            assert await reason_of(authenticate(wrong)) is Reason.TOKEN_INVALID
        clock.ahead_s += 5.1
    assert uses.tenants == [owner.tenant_id] * 2
    assert await authenticate(key) == owner.user_id  # the right one is not affected


async def test_a_text_that_is_no_key_costs_nothing(owner: User, uses: Uses) -> None:
    for _ in range(3):
        assert await reason_of(authenticate(replace(owner, credential="bjk_no.key"))) is Reason.TOKEN_INVALID
    assert not uses.tenants


async def test_refused_keys_do_not_fill_the_memory(owner: User) -> None:
    owner.auth.authenticator._api_keys._refused = BoundedMap(3)
    key = await new_key(owner)
    for number in range(8):
        wrong = replace(key, credential=f"{key.credential[:-6]}AAAAA{number}")
        assert await reason_of(authenticate(wrong)) is Reason.TOKEN_INVALID
    assert len(owner.auth.authenticator._api_keys._refused) == 3


async def test_a_read_that_began_before_a_key_ended_is_not_kept(owner: User, uses: Uses) -> None:
    key, other = await new_key(owner), await new_key(owner)
    uses.tenants.clear()
    uses.gate.clear()
    early = asyncio.create_task(authenticate(key))
    while len(uses.tenants) < 1:
        await asyncio.sleep(0.01)
    owner.auth.authenticator._api_keys.forget(other.session_id)  # any ended key: the reader cannot know which
    late = asyncio.create_task(authenticate(key))
    while len(uses.tenants) < 2:
        await asyncio.sleep(0.01)
    uses.tenants.clear()
    uses.gate.set()
    assert [await early, await late] == [owner.user_id] * 2
    assert not uses.tenants  # the later call made its own read, which is cached
    await authenticate(key)
    assert not uses.tenants


async def test_a_new_process_reads_the_latest_keys_before_their_calls(
    owner: User, uses: Uses, clock: Clock, opened: Opened
) -> None:
    key, unused = await new_key(owner), await new_key(owner)
    await authenticate(key)  # its use is recorded
    async with opened(redis_client=None) as second:
        uses.tenants.clear()
        await second.api_keys.warm([owner.tenant_id])
        assert uses.tenants == [owner.tenant_id]
        look_ups = second.api_keys.look_ups
        assert (await second.authenticator.authenticate(f"Bearer {key.credential}")).user_id == owner.user_id
        assert (len(uses.tenants), look_ups.hits, look_ups.misses) == (1, 1, 0)
        # Another secret is another look-up, which the database refuses.
        wrong = replace(key, credential=key.credential[:-6] + "AAAAAA")
        with pytest.raises(Unauthenticated):
            await second.authenticator.authenticate(f"Bearer {wrong.credential}")
        assert (await second.authenticator.authenticate(f"Bearer {unused.credential}")).user_id == owner.user_id
        assert (len(uses.tenants), look_ups.misses) == (3, 2)
        # A warm key is read again as soon as any other.
        clock.ahead_s += 5.1
        await second.authenticator.authenticate(f"Bearer {key.credential}")
        assert len(uses.tenants) == 4
        # A key that ends while they are read is not known afterwards.
        clock.ahead_s += 5.1
        uses.gate.clear()
        warming = asyncio.create_task(second.api_keys.warm([owner.tenant_id]))
        while len(uses.tenants) < 5:
            await asyncio.sleep(0.01)
        second.api_keys.forget(owner.user_id)
        uses.gate.set()
        await warming
        await second.authenticator.authenticate(f"Bearer {key.credential}")
        assert len(uses.tenants) == 6
