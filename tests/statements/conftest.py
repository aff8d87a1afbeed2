"""One server for all statements: a separate process, with the defaults of an operator except for a few waits."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import ServerProcess, made_server, on_parts
from tests.parts import fresh_database
from tests.stream_status import RpcStatus

PASSWORD = "umbrella over the quiet harbour 7"
AUTH = pb.DESCRIPTOR.services_by_name["AuthService"]


@dataclass(frozen=True)
class Refused:
    """The end of a call: code, reason and details. OK: code 'OK' and the answer."""

    code: str
    reason: str = ""
    message: str = ""
    retry: bool = False
    answer: Any = None


@dataclass(frozen=True)
class Person:
    """A caller, with or without tokens."""

    channel: grpc.aio.Channel
    target: str = ""
    tenant_id: str = ""
    user_id: str = ""
    email: str = ""
    access: str = ""
    refresh: str = ""
    session_id: str = ""
    scopes: tuple[str, ...] = ()

    async def call(self, method: str, metadata: tuple[tuple[str, str], ...] = (), **fields: Any) -> Any:
        """The answer of a method of AuthService. Raises AioRpcError."""
        descriptor = AUTH.methods_by_name[method]
        stub: Any = self.channel.unary_unary(
            f"/{AUTH.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(pb, descriptor.output_type.name).FromString,
        )
        own = (("authorization", f"Bearer {self.access}"),) if self.access else ()
        return await stub(getattr(pb, f"{method}Request")(**fields), metadata=own + metadata, timeout=20)

    async def outcome(self, method: str, metadata: tuple[tuple[str, str], ...] = (), **fields: Any) -> Refused:
        """The outcome of the call."""
        try:
            return Refused("OK", answer=await self.call(method, metadata, **fields))
        except grpc.aio.AioRpcError as error:
            return refusal(error)

    async def login(self, password: str = PASSWORD, **fields: Any) -> Person:
        """Open another session of the same user."""
        request = {"tenant_id": self.tenant_id, "email": self.email, "password": password, **fields}
        answer = await replace(self, access="").call("Login", **request)
        return self.holding(answer.tokens, answer.user.user_id)

    async def refreshed(self) -> Person:
        """The same session after RefreshToken."""
        answer = await replace(self, access="").call("RefreshToken", refresh_token=self.refresh)
        return self.holding(answer.tokens, self.user_id)

    def holding(self, tokens: account_pb2.Tokens, user_id: str) -> Person:
        return replace(
            self,
            user_id=user_id,
            access=tokens.access_token,
            refresh=tokens.refresh_token,
            session_id=tokens.session_id,
        )

    async def colleague(self, role: int = account_pb2.ROLE_MEMBER) -> Person:
        """A user of the same tenant with a password of their own, logged in."""
        email = f"{secrets.token_hex(6)}@example.com"
        made = await self.call("CreateUser", email=email, role=role)
        first = await replace(self, email=email).login(made.password)
        await first.call("ChangePassword", current_password=made.password, new_password=PASSWORD)
        return await first.refreshed()


def refusal(error: RpcStatus) -> Refused:
    """Code, reason and details of a refused call."""
    reason, retry = "", False
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    reason = str(info.reason)
                retry = retry or detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
    return Refused(error.code().name, reason, error.details() or "", retry)


@dataclass(frozen=True)
class Served:
    """The server and its database, as its operator knows them."""

    process: ServerProcess
    database_url: str


@pytest.fixture(scope="session")
def served(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {"BOSSJY_REFLECTION": "off", "BOSSJY_KEY_RELOAD_S": "0.2", "BOSSJY_KEY_ACTIVATION_S": "1"}
    with _server(parts, tmp_path_factory.mktemp("statements"), settings) as one:
        yield one


@contextmanager
def _server(parts: EmbeddedParts, folder: Path, settings: dict[str, str]) -> Iterator[Served]:
    """A server on a fresh database. All tests come from one address, so it has no limit of wrong logins."""
    with asyncio.Runner() as runner:
        databases = fresh_database(parts.database_url)
        url = runner.run(_next(databases))
        chosen = on_parts(url, parts.redis_url) | {"BOSSJY_LOGIN_FAILURES_PER_ADDRESS": "100000"} | settings
        server = made_server(folder, **chosen)
        try:
            server.start()
            yield Served(server, url)
        finally:
            server.end()
            runner.run(_next(databases))


async def _next(values: AsyncIterator[str]) -> str:
    return await anext(values, "")


@pytest.fixture
async def nobody(served: Served) -> AsyncIterator[Person]:
    """A caller without credentials."""
    async with grpc.aio.insecure_channel(served.process.target) as channel:
        yield Person(channel, served.process.target)


async def registered(nobody: Person, name: str = "Test") -> Person:
    """The owner of a new tenant."""
    email = f"{secrets.token_hex(6)}@example.com"
    answer = await nobody.call("Register", tenant_display_name=name, email=email, password=PASSWORD)
    new = replace(nobody, tenant_id=answer.tenant.tenant_id, email=email)
    return new.holding(answer.tokens, answer.user.user_id)


@pytest.fixture
async def owner(nobody: Person) -> Person:
    return await registered(nobody)


@pytest.fixture(scope="session")
def served_few_codes(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that admits ten consecutive wrong one-time codes, and any number of wrong logins."""
    settings = {"BOSSJY_SECOND_FACTOR_WRONG_CODES": "10", "BOSSJY_LOGIN_FAILURES_PER_ACCOUNT": "100000"}
    with _server(parts, tmp_path_factory.mktemp("few-codes"), settings) as one:
        yield one


@pytest.fixture
async def few_codes(served_few_codes: Served) -> AsyncIterator[Person]:
    """The owner of a new tenant there."""
    async with grpc.aio.insecure_channel(served_few_codes.process.target) as channel:
        yield await registered(Person(channel))
