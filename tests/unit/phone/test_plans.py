from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bossjy_numbering import load_plan
from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import NotFound
from bossjy_server.phone.plans import Plans
from bossjy_server.phone.region_names import region_name


@pytest.fixture
def plans(tmp_path: Path) -> Plans:
    return Plans(load_plan(), tmp_path / "snapshots")


@pytest.mark.timeout(300)
async def test_a_count_goes_on_without_its_caller(plans: Plans) -> None:
    version = plans.plan.version
    caller = asyncio.create_task(plans.diff(version, version))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    held = await plans.diff(version, version)
    assert held.differences == ()
    assert await plans.diff(version, version) is held


@pytest.mark.timeout(300)
async def test_a_count_that_failed_is_not_kept(plans: Plans, tmp_path: Path) -> None:
    damaged = tmp_path / "snapshots" / "1.0.plan"
    damaged.write_bytes(b"no snapshot")
    for _ in range(2):
        with pytest.raises(ValueError, match="snapshot"):
            await plans.diff("1.0", plans.plan.version)
    assert not plans._differences


@pytest.mark.timeout(300)
async def test_only_so_many_differences_are_kept(plans: Plans) -> None:
    plans._differences = BoundedMap(1)
    version = plans.plan.version
    await plans.diff(version, version)
    with pytest.raises(ValueError, match="snapshot"):
        (plans._folder / "1.1.plan").write_bytes(b"no snapshot")
        await plans.diff(version, "1.1")
    assert not plans._differences


async def test_versions_are_those_with_a_snapshot(plans: Plans, tmp_path: Path) -> None:
    (tmp_path / "snapshots" / "notes.plan").write_bytes(b"")
    (tmp_path / "snapshots" / "10.0.plan").write_bytes(b"")
    assert plans.versions() == ["9.0.38", plans.plan.version, "10.0"]
    Plans(plans.plan, tmp_path / "snapshots")  # finds its own snapshot there
    for version in ("1.2.3", "../10.0", ""):
        with pytest.raises(NotFound):
            await plans.diff(version, plans.plan.version)


def test_names_of_regions() -> None:
    assert region_name("DE", "de") == "Deutschland"
    assert region_name("DE", "de-AT") == "Deutschland"
    assert region_name("DE", "xx") == "Germany"
    assert region_name("001", "en") == ""
