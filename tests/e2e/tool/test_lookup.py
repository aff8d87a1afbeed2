"""`bossjy phone lookup` against a server with a provider on loopback, and one without a provider."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.e2e.conftest import MakeServer, on_parts, register
from tests.e2e.tool.conftest import Run, objects, run_tool
from tests.integration.lookup.loopback import loopback, reply, told

pytestmark = pytest.mark.timeout(600)


async def test_lookup(make_server: MakeServer, database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with loopback() as provider:
        provider.first = [told(carrier="月 Mobile", line_status="active", ported=False)]
        provider.then = reply(404)
        server = make_server(**on_parts(database_url, redis_url), BOSSJY_LOOKUP_URL=provider.url)
        await asyncio.to_thread(server.start)
        token = register(server.target).token
        bossjy = partial(run_tool, tmp_path, "phone", "lookup", BOSSJY_TOKEN=token, BOSSJY_TARGET=server.target)

        async def ask(*arguments: str, code: int = 0) -> CompletedProcess[str]:
            return await asyncio.to_thread(partial(bossjy, *arguments, code=code))

        shown = [line.split(maxsplit=1) for line in (await ask("138 0013 8000", "--region", "CN")).stdout.splitlines()]
        assert [[name, value.strip()] for name, value in shown[:5]] == [
            ["outcome", "FOUND"],
            ["E.164", "+8613800138000"],
            ["carrier", "月 Mobile"],
            ["line", "active"],
            ["ported", "no"],
        ]
        (answer,) = objects(await ask("+8613800138000", "--json"))
        assert (answer["outcome"], answer["carrier"], answer["ported"]) == ("LOOKUP_OUTCOME_FOUND", "月 Mobile", False)
        assert "UNKNOWN" in (await ask("+8613800138001", code=6)).stdout
        assert "NOT_VALID" in (await ask("nonsense", code=6)).stdout
        assert len(provider.heads) == 2


def test_without_a_provider(run: Run) -> None:
    refused = run("phone", "lookup", "+8613800138000", "--json", code=4)
    assert json.loads(refused.stderr)["error"]["reason"] == "LOOKUP_NOT_CONFIGURED"
