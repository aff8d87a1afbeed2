"""docs/operations/external.md: the data of the embedded dependencies continue on other servers."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bossjy_client import AsyncClient, SessionTokens
from bossjy_server.embedded.servers import start_embedded
from tests.e2e.conftest import EMAIL, PASSWORD, ROOT, MakeServer
from tests.e2e.test_backup import binaries, counts, filled, restored, shell
from tests.parts import swept_folder

PAGE = ROOT / "docs" / "operations" / "external.md"


def back_up_commands() -> str:
    """The commands of the first step, in a folder that has the data folder `.bossjy`. PATH is set by the test."""
    found = re.search(r"\n\n((?: {7}.*\n)+)\n", PAGE.read_text("utf-8"))
    assert found
    lines = [line[7:] for line in found[1].splitlines()]
    assert lines[0].startswith("export PATH=$(ls -d $PWD/.venv/")
    return "\n".join(lines[1:])


@pytest.mark.timeout(300)
async def test_embedded_data_continue_elsewhere(make_server: MakeServer, tmp_path: Path) -> None:
    path = binaries(tmp_path)
    with swept_folder() as folder:
        # A short path: sockets of the embedded servers are below it.
        (tmp_path / ".bossjy").symlink_to(folder / "old")
        (folder / "old").mkdir(mode=0o700)
        old = make_server(BOSSJY_DATA_DIR=str(folder / "old"), BOSSJY_REGISTRATION="open")
        (folder / "old" / "plan").symlink_to((tmp_path / "data" / "plan").resolve())  # compiled once for all tests
        await asyncio.to_thread(old.start)
        tenant_id, session, before = await filled(old.target)
        await asyncio.to_thread(shell, back_up_commands(), tmp_path, PATH=path)
        assert await asyncio.to_thread(old.terminate) == 0
        async with start_embedded(folder / "new", postgres=True, redis=True) as own:
            new = await restored(make_server, own.database_url, own.redis_url, path, tmp_path)
            async with await AsyncClient.connect(new.target) as client:
                answer = await client.auth.login(tenant_id, EMAIL, PASSWORD)
                client.use_session(SessionTokens.of(answer.tokens))
                assert await counts(client) == before
                assert (await client.auth.refresh(session)).access_token
            await asyncio.to_thread(new.terminate)
