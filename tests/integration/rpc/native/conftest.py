"""Fixtures: one service on the native front end for all tests here, and an HTTP client with its credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from bossjy_server.embedded.servers import EmbeddedParts
from tests.parts import fresh_database
from tests.service import Service, serve

ORIGIN = "https://page.example.com"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def native(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """The service, with CORS and the OpenAPI document."""
    settings = {"BOSSJY_FRONT": "native", "BOSSJY_CORS_ORIGINS": ORIGIN, "BOSSJY_OPENAPI": "on"}
    settings |= {"BOSSJY_HEALTH_WATCHES_PER_ADDRESS": "2", "BOSSJY_REFLECTION": "on"}
    async for url in fresh_database(parts.database_url):
        async for one in serve(url, parts.redis_url, tmp_path_factory.mktemp("native"), **settings):
            yield one


@pytest_asyncio.fixture(loop_scope="package")
async def client(native: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client of JSON."""
    headers = {"authorization": f"Bearer {native.token}"}
    async with httpx.AsyncClient(base_url=f"http://{native.address}", headers=headers, trust_env=False) as one:
        yield one
