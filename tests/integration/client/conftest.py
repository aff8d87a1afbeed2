"""Fixtures: one service for all tests of this folder, and a tenant of its own for each module."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bossjy_client import AsyncClient
from bossjy_server.embedded.servers import EmbeddedParts
from tests.parts import fresh_database
from tests.service import PASSWORD, Service, serve


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def client_service(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async for url in fresh_database(parts.database_url):
        async for one in serve(url, parts.redis_url, tmp_path_factory.mktemp("client")):
            yield one


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def tenant(client_service: Service) -> Service:
    """The service with the credentials of another tenant."""
    async with await AsyncClient.connect(client_service.address) as client:
        answer = await client.auth.register("Module", f"owner-{secrets.token_hex(4)}@example.com", PASSWORD)
    return replace(client_service, tenant_id=answer.tenant.tenant_id, token=answer.tokens.access_token)
