from __future__ import annotations

import asyncio

import pytest

from bossjy_numbering import load_plan
from bossjy_server.phone.details import DetailTables


async def test_who_asks_at_once_gets_the_same_tables(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "plan"
    details = DetailTables(load_plan(folder), folder)
    first, second = await asyncio.gather(details.load(), details.load())
    assert first is second
    assert await details.load() is first
