"""Dependencies that fault tests may stop and pause, and a server on them. One of each per test process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess
from tests.performance.faults.calls import Caller
from tests.performance.faults.parts import Stage, stage


@pytest.fixture(scope="session")
def parts_to_break() -> Iterator[Stage]:
    with stage() as one:
        yield one


@pytest.fixture(scope="session")
def broken_server(parts_to_break: Stage) -> ServerProcess:
    return parts_to_break.server(BOSSJY_METRICS_PORT=str(free_port()))


@pytest.fixture
async def caller(broken_server: ServerProcess) -> AsyncIterator[Caller]:
    """A new tenant for the test; after the test every dependency answers again."""
    async with Caller(broken_server.target) as made:
        await made.register()
        yield made
