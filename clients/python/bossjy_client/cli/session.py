"""One run of the tool: its options, its output, and the connection that its login gives."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bossjy_client.cli.output import Output
from bossjy_client.client import Client
from bossjy_client.config import ClientConfig
from bossjy_client.credentials import CredentialsFile, Login
from bossjy_client.errors import CredentialsError, SourceError
from bossjy_client.places import config_folder
from bossjy_client.tokens import SessionSource, SessionTokens, StaticToken, TokenSource

DEFAULT_TARGET = "127.0.0.1:18001"


class Session:
    """What every command gets."""

    def __init__(self, args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> None:
        self.args = args
        self.output = Output(as_json=getattr(args, "json", False))
        self.credentials = CredentialsFile(config_folder(environment) / "credentials.json")
        self._token = environment.get("BOSSJY_TOKEN", "")
        self.target_option: str = getattr(args, "target", "") or environment.get("BOSSJY_TARGET", "")

    def config(self, login: Login | None = None) -> ClientConfig:
        """Settings of the connection, from the options and what was stored at login."""
        tls = getattr(self.args, "tls", None)
        if tls is None and login is not None:
            tls = login.tls
        authority: str = getattr(self.args, "ca_file", "")
        try:
            roots = Path(authority).read_bytes() if authority else None
        except OSError as error:
            raise SourceError(f"{authority}: {error.strerror}") from error
        return ClientConfig(
            plaintext=None if tls is None else not tls, root_certificates=roots, user_agent="bossjy-cli"
        )

    def login(self) -> Login:
        """The login that calls are made with. Raises CredentialsError."""
        if self._token:
            return Login(target=self.target_option or DEFAULT_TARGET, api_key=self._token)
        login = self.credentials.load(self.target_option)
        if login is None:
            where = f" --target {self.target_option}" if self.target_option else ""
            raise CredentialsError(f"not logged in: run `bossjy login{where}`, or set BOSSJY_TOKEN")
        return login

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connected client with the login's identity."""
        login = self.login()
        client = await Client.connect(login.target, config=self.config(login))
        async with client:
            client.use_tokens(self._source(login, client))
            yield client

    def _source(self, login: Login, client: Client) -> TokenSource:
        if login.api_key:
            return StaticToken(login.api_key)

        async def refresh(tokens: SessionTokens) -> SessionTokens:
            return await self.credentials.renew(login.target, tokens, client.auth.refresh)

        return SessionSource(login.session, refresh)
