"""docs/operations/external.md: the data of the embedded dependencies continue on other servers."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bossjy_client import AsyncClient, SessionTokens
from bossjy_server.app import running
from bossjy_server.config import Settings, read_settings
from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import EMAIL, PASSWORD, ROOT
from tests.e2e.test_backup import binaries, commands, counts, filled, login, prepare, shell
from tests.parts import swept_folder
from tests.service import serve

PAGE = ROOT / "docs" / "operations" / "external.md"


def back_up_commands() -> str:
    """The commands of the first step, in a folder that has the data folder `.bossjy`. PATH is set by the test."""
    found = re.search(r"\n\n((?: {7}.*\n)+)\n", PAGE.read_text("utf-8"))
    assert found
    lines = [line[7:] for line in found[1].splitlines()]
    assert lines[0].startswith("export PATH=$(ls -d $PWD/.venv/")
    return "\n".join(lines[1:])


async def backed_up(path: str, folder: Path) -> tuple[str, SessionTokens, dict[str, int]]:
    """The first step, on a service with embedded dependencies: what `filled` returns."""
    found: list[tuple[str, SessionTokens, dict[str, int]]] = []
    async for service in serve("", "", folder):
        (folder / ".bossjy").symlink_to(service.settings.process.data_dir)
        found.append(await filled(service.address))
        await asyncio.to_thread(shell, back_up_commands(), folder, PATH=path)
    return found[0]


@pytest.mark.timeout(300)
async def test_embedded_data_continue_elsewhere(tmp_path: Path) -> None:
    path = binaries(tmp_path)
    tenant_id, session, before = await backed_up(path, tmp_path)
    with swept_folder() as folder:
        async with start_embedded(folder, postgres=True, redis=True) as own:
            settings = await restore(own, path, tmp_path)
            async with running(settings) as served, await AsyncClient.connect(served.address) as client:
                answer = await client.auth.login(tenant_id, EMAIL, PASSWORD)
                client.use_session(SessionTokens.of(answer.tokens))
                assert await counts(client) == before
                assert (await client.auth.refresh(session)).access_token


async def restore(own: EmbeddedParts, path: str, folder: Path) -> Settings:
    """The second and third step. Returns the settings of the new server."""
    data = folder / "restored"
    urls = {
        "DATABASE_URL": login(own.database_url, "acme_service", "acme"),
        "DATABASE_ADMIN_URL": login(own.database_url, "acme_owner", "acme"),
        "REDIS_URL": own.redis_url,
        "BOSSJY_DATA_DIR": str(data),
    }
    statements = await asyncio.to_thread(shell, "bossjy-server database sql", folder, PATH=path, **urls)
    await prepare(own.database_url, statements)
    await asyncio.to_thread(shell, commands()[1], folder, PATH=path, **urls)
    quiet = {"BOSSJY_PORT": str(free_port()), "BOSSJY_METRICS_PORT": "0", "BOSSJY_LOG_CONSOLE": "off"}
    (data / "plan").symlink_to((folder / "data" / "plan").resolve())  # compiled once for all tests
    return read_settings(urls | quiet | {"BOSSJY_WARM_UP_S": "0", "BOSSJY_DRAIN_S": "2"})
