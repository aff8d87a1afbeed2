"""The cache of tenants' settings: reads in batches, bounds, changes, and a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bossjy_server.errors import Reason, Unavailable
from bossjy_server.tenant_settings import KnownTenants, TenantSettings


class Rows:
    """The settings of every tenant; `away`: they cannot be read. `gate` holds reads while it is not set."""

    def __init__(self) -> None:
        self.region, self.away = "CN", False
        self.reads: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, tenants: Sequence[str]) -> dict[str, TenantSettings]:
        self.reads.append(list(tenants))
        settings, away = TenantSettings(7, self.region), self.away
        await self.gate.wait()
        if away:
            raise Unavailable(Reason.DATABASE_UNAVAILABLE, "gone")
        return dict.fromkeys(tenants, settings)


async def test_only_the_first_call_waits() -> None:
    rows = Rows()
    tenants = KnownTenants(rows.read, known_s=3600)
    assert tenants.of("a") is None
    assert await tenants.wait_for("a") == TenantSettings(7, "CN")
    assert tenants.of("a") == TenantSettings(7, "CN")
    assert tenants.recent() == ["a"]
    assert rows.reads == [["a"]]


async def test_many_tenants_are_read_together() -> None:
    rows = Rows()
    rows.gate.clear()
    tenants = KnownTenants(rows.read, known_s=3600)
    waiting = [asyncio.create_task(tenants.wait_for(f"t{number}")) for number in range(450)]
    await asyncio.sleep(0)
    rows.gate.set()
    assert set(await asyncio.gather(*waiting)) == {TenantSettings(7, "CN")}
    assert [len(read) for read in rows.reads] == [200, 200, 50]
    await tenants.learn([f"u{number}" for number in range(300)])
    assert [len(read) for read in rows.reads[3:]] == [200, 100]


async def test_old_settings_apply_while_new_ones_are_read_or_cannot_be() -> None:
    rows = Rows()
    tenants = KnownTenants(rows.read, known_s=0)
    await tenants.wait_for("a")
    rows.region, rows.away = "GB", True
    for _ in range(3):
        assert tenants.of("a") == TenantSettings(7, "CN")
    rows.away = False
    async with asyncio.timeout(30):
        while tenants.of("a") != TenantSettings(7, "GB"):
            await asyncio.sleep(0.01)


async def test_a_change_is_seen_by_the_next_call_although_a_read_runs() -> None:
    rows = Rows()
    tenants = KnownTenants(rows.read, known_s=0)
    await tenants.wait_for("a")
    rows.gate.clear()
    assert tenants.of("a") == TenantSettings(7, "CN")  # begins a read
    await asyncio.sleep(0)
    rows.region = "GB"
    tenants.forget("a")
    assert tenants.of("a") is None
    waiting = asyncio.create_task(tenants.wait_for("a"))
    await asyncio.sleep(0)
    rows.gate.set()
    assert await waiting == TenantSettings(7, "GB")


async def test_the_wait_and_the_number_are_bounded() -> None:
    rows = Rows()
    tenants = KnownTenants(rows.read, known_s=3600, tenants_max=2)
    for name in "abc":
        await tenants.wait_for(name)
    assert tenants.recent() == ["b", "c"]
    rows.gate.clear()
    for name in "defgh":
        assert tenants.of(name) is None
    with pytest.raises(Unavailable, match="name a region"):
        await tenants.wait_for("d", wait_s=0.05)
    with pytest.raises(Unavailable):
        await tenants.wait_for("z", wait_s=0)
    rows.gate.set()
