"""docs/operations/keys.md: rotation of a signing key under a running service, and replacement of secret.key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import jwt
import pytest

from bossjy_client import AsyncClient, SessionTokens, UnauthenticatedError
from bossjy_server.app import running
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.service import load_keys
from tests.service import EMAIL, PASSWORD, Service, serve

ROTATED = {"BOSSJY_KEY_RELOAD_S": "1", "BOSSJY_KEY_ACTIVATION_S": "0"}


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def login(client: AsyncClient, service: Service) -> SessionTokens:
    return SessionTokens.of((await client.auth.login(service.tenant_id, EMAIL, PASSWORD)).tokens)


async def test_a_rotation_interrupts_nobody(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async for service in serve(database_url, redis_url, tmp_path, **ROTATED):
        async with await AsyncClient.connect(service.address, token=service.token) as client:
            old = kid(service.token)
            # Another process, as `bossjy-server keys rotate` is.
            made = (await asyncio.to_thread(load_keys, service.settings.process.data_dir, AuthOptions())).rotate().kid
            assert made != old
            session = await login(client, service)
            async with asyncio.timeout(60):
                while kid(session.access_token) != made:
                    await client.auth.me()  # with a token of the old key
                    await asyncio.sleep(0.2)  # the server keeps the latest sessions and tokens only
                    session = await client.auth.refresh(session)
            assert {old, made} == {each.kid for each in await client.auth.jwks()}
            assert (await client.auth.me()).user.email == EMAIL
            client.use_session(session)
            assert (await client.auth.me()).user.email == EMAIL


async def used_service(database_url: str, redis_url: str, folder: Path) -> tuple[Service, SessionTokens, str]:
    """A service that has ended, with a session and an API key."""
    found: list[tuple[Service, SessionTokens, str]] = []
    async for service in serve(database_url, redis_url, folder):
        async with await AsyncClient.connect(service.address, token=service.token) as client:
            session = await login(client, service)
            made = await client.auth.create_api_key("program", scopes=["phone.read"])
            found.append((service, session, made.secret))
    return found[0]


async def test_a_new_secret_ends_sessions_and_keeps_api_keys_and_passwords(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    service, session, api_key = await used_service(database_url, redis_url, tmp_path)
    settings = service.settings
    secret = settings.process.data_dir / "keys" / "secret.key"
    before = secret.read_bytes()
    secret.rename(tmp_path / "leaked.key")
    async with running(settings) as served, await AsyncClient.connect(served.address) as client:
        assert secret.read_bytes() != before
        with pytest.raises(UnauthenticatedError) as refused:
            await client.auth.refresh(session)
        assert refused.value.reason == "TOKEN_INVALID"
        assert (await login(client, service)).access_token
        async with await AsyncClient.connect(served.address, token=api_key) as program:
            assert (await program.phone.validate("+8613800138000")).valid
