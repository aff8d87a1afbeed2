from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest

from bossjy_client import ClientConfig
from tests.unit.client.double import Running

Start = Callable[..., Awaitable[Running]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool speaks the language of the locale, and these tests read English."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers; all of them end with the test."""
    running: list[Running] = []

    async def start_one(*add: Callable[[grpc.aio.Server], None], port: int = 0) -> Running:
        one = await Running.start(*add, port=port)
        running.append(one)
        return one

    yield start_one
    for one in running:
        await one.server.stop(None)


@pytest.fixture
def quick() -> ClientConfig:
    """Short waits and small chunks: minutes of production take moments."""
    return ClientConfig(
        timeout_s=5.0,
        initial_backoff_s=0.01,
        max_backoff_s=0.05,
        chunk_bytes=1000,
        upload_attempts=6,
        stall_timeout_s=2.0,
    )
