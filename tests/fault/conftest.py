"""Parts that the tests of faults may stop and pause, and a server on them. One of each for a test process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.e2e.conftest import ServerProcess
from tests.performance.faults.calls import Caller
from tests.performance.faults.parts import Stage, stage


@pytest.fixture(scope="session")
def parts_to_break() -> Iterator[Stage]:
    with stage() as one:
        yield one


@pytest.fixture(scope="session")
def broken_server(parts_to_break: Stage) -> ServerProcess:
    return parts_to_break.server()


@pytest.fixture
async def caller(broken_server: ServerProcess) -> AsyncIterator[Caller]:
    """A tenant of the test's own; after the test everything answers again."""
    async with Caller(broken_server.target) as made:
        await made.register()
        yield made
