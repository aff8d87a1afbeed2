"""Fixture: the whole service in the test's process, on real dependencies, with a tenant that may do everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy_server.app import running
from bossjy_server.config import Settings, read_settings
from bossjy_server.embedded.servers import EmbeddedParts
from tests.front import front_settings
from tests.parts import fresh_database, service_url
from tests.ports import free_port

EMAIL, PASSWORD = "owner@example.com", "umbrella over the quiet harbour 7"


@dataclass(frozen=True)
class Service:
    """A running service and the credentials of its first owner."""

    address: str
    channel: grpc.aio.Channel
    tenant_id: str
    token: str
    settings: Settings
    owner_url: str  # of the database, as the owner of its tables

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)


def data_folder(folder: Path) -> Path:
    """A data folder below `folder` that shares the plan tables of its sibling folders: they are the same."""
    data, plan = folder / "data", folder.parent / "plan"
    plan.mkdir(exist_ok=True)
    if not data.exists():
        data.mkdir(mode=0o700)
        (data / "plan").symlink_to(plan)
    return data


async def serve(database_url: str, redis_url: str, folder: Path, **changed: str) -> AsyncIterator[Service]:
    """The service on a database, open for registration, without metrics port; ends when the iteration continues.

    `changed`: variables that a test is about. The plan tables are compiled once per test process.
    """
    settings = read_settings(
        {
            "DATABASE_URL": service_url(database_url) if database_url else "",
            "DATABASE_ADMIN_URL": database_url,
            "REDIS_URL": redis_url,
            "BOSSJY_DATA_DIR": str(data_folder(folder)),
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_REGISTRATION": "open",
            "BOSSJY_LOG_CONSOLE": "off",
            "BOSSJY_DRAIN_S": "2",
            "BOSSJY_WARM_UP_S": "0",
            "BOSSJY_DATABASE_POOL": "8",
            "BOSSJY_CALLS_PER_MINUTE_PER_TENANT": "0",
            "BOSSJY_LOG_REFUSALS_PER_MINUTE": "0",  # tests look for the line of a call
        }
        | front_settings()
        | changed
    )
    # The cheapest passwords: no test here is about their cost.
    settings = replace(settings, auth=replace(settings.auth, argon2_memory_kib=7 * 1024, argon2_time_cost=1))
    async with running(settings) as served, grpc.aio.insecure_channel(served.address) as channel:
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        registered = await stub.Register(
            auth_service_pb2.RegisterRequest(tenant_display_name="Test", email=EMAIL, password=PASSWORD)
        )
        yield Service(
            served.address,
            channel,
            registered.tenant.tenant_id,
            registered.tokens.access_token,
            settings,
            database_url or served.parts.database_url,
        )
        # Searched with the logs for secrets.
        (settings.process.data_dir / "logs" / "metrics.log").write_text(served.metrics_text(), "utf-8")


@pytest.fixture
async def service(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service for one test, on a fresh database."""
    async for one in serve(database_url, redis_url, tmp_path):
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_service(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all tests of a module, for methods that store nothing. Such tests run in the module's loop."""
    async for url in fresh_database(parts.database_url):
        async for one in serve(url, parts.redis_url, tmp_path_factory.mktemp("shared")):
            yield one
