"""Auth on a real database and a real Redis, with a clock that a test can set."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from redis.asyncio import Redis

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.service import Auth, open_auth
from bossjy_server.context import CallContext, enter_call
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.rpc.method import methods_of
from bossjy_server.storage.postgres import Database

SCOPES = {method.name: method.access.scope for method in methods_of(pb.DESCRIPTOR.services_by_name["AuthService"])}
PASSWORD = "violet lamp over river"
EMAIL = "ann@example.com"

Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[Auth]]


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass(frozen=True)
class User:
    """A caller with a token or key."""

    auth: Auth
    credential: str = ""
    refresh_token: str = ""
    tenant_id: str = ""
    user_id: str = ""
    session_id: str = ""
    address: str = "10.0.0.1"

    async def call(self, method: str, request: Any = None, **fields: Any) -> Any:
        """Call a method like the chain: read the credentials, open the call's context, run it."""
        context = CallContext("request", f"/bossjy.auth.v1.AuthService/{method}", self.address, "test/1")
        if self.credential:
            context.caller = await self.auth.authenticator.authenticate(f"Bearer {self.credential}")
            context.scope = SCOPES[method]
        enter_call(context)
        message = request if request is not None else getattr(pb, f"{method}Request")(**fields)
        return await getattr(self.auth.servicer, method)(message)

    async def login(self, email: str = EMAIL, password: str = PASSWORD, **fields: Any) -> User:
        """Open another session."""
        response = await replace(self, credential="").call(
            "Login", tenant_id=self.tenant_id, email=email, password=password, **fields
        )
        return replace(self, **_tokens(response.tokens), user_id=response.user.user_id)

    async def refreshed(self) -> User:
        """The same session with new tokens."""
        public = replace(self, credential="")
        response = await public.call("RefreshToken", refresh_token=self.refresh_token)
        return replace(self, **_tokens(response.tokens))

    async def new_user(self, email: str, role: int) -> User:
        """A user of the tenant who has logged in and changed the first password."""
        made = await self.call("CreateUser", email=email, role=role)
        user = await self.login(email, made.password)
        if role != account_pb2.ROLE_SERVICE:
            await user.call("ChangePassword", current_password=made.password, new_password=PASSWORD)
        return await user.refreshed()


def _tokens(tokens: account_pb2.Tokens) -> dict[str, Any]:
    return {
        "credential": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "session_id": tokens.session_id,
    }


async def register(auth: Auth, name: str = "Acme", email: str = EMAIL, **fields: Any) -> User:
    """The owner of a new tenant."""
    response = await User(auth).call("Register", tenant_display_name=name, email=email, password=PASSWORD, **fields)
    return User(auth, tenant_id=response.tenant.tenant_id, user_id=response.user.user_id, **_tokens(response.tokens))


async def reason_of(call: Awaitable[Any]) -> Reason:
    """The reason of a refused call."""
    with pytest.raises(BossjyError) as caught:
        await call
    return caught.value.reason


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(database: Database, redis: Redis, tmp_path: Path, clock: Clock) -> Opened:
    """Opens auth; a second one is another replica on the same dependencies."""

    def open_one(*, redis_client: Redis | None = redis, **options: Any) -> AbstractAsyncContextManager[Auth]:
        # The cheapest hashes: tests/unit/auth/test_passwords.py has the usual ones.
        cost = {"argon2_memory_kib": 7 * 1024, "argon2_time_cost": 1}
        defaults: dict[str, Any] = {"registration": "open", "hash_threads": 2, "key_activation_s": 0, **cost}
        chosen = AuthOptions(**defaults | options)
        return open_auth(database, redis_client, tmp_path, chosen, clock)

    return open_one


@pytest.fixture
async def auth(opened: Opened) -> AsyncIterator[Auth]:
    async with opened() as one:
        yield one


@pytest.fixture
async def owner(auth: Auth) -> User:
    return await register(auth)
