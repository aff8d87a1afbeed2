"""A data folder that is made once for all tests: most of them test later starts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from bossjy_server.embedded.servers import start_embedded


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose embedded servers were started once, and stopped."""
    folder = tmp_path_factory.mktemp("made") / "data"

    async def make() -> None:
        async with start_embedded(folder, postgres=True, redis=True):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture
def data_folder(made_folder: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made_folder, tmp_path / "data"))
