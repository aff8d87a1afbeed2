"""Session of one run of the tool: its options, its output, and the connection of its login."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bossjy_client.cli.arguments.values import DEFAULT_TARGET
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.cli.messages import answer_language, tr
from bossjy_client.cli.output import Output
from bossjy_client.config import ClientConfig
from bossjy_client.credentials import CredentialsFile, Login
from bossjy_client.errors import CredentialsError, SourceError
from bossjy_client.places import config_folder
from bossjy_client.tokens import SessionSource, SessionTokens, StaticToken, TokenSource

if TYPE_CHECKING:
    from bossjy_client.client import AsyncClient as Client

_TOKEN_MAX_CHARS = 8192


class Session:
    """The arguments of every command."""

    def __init__(self, args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> None:
        self.args = args
        self.output = Output(as_json=getattr(args, "json", False), as_csv=getattr(args, "csv", False))
        self.credentials = CredentialsFile(config_folder(environment) / "credentials.json")
        self._token_file: str = getattr(args, "token", "")
        self._token = environment.get("BOSSJY_TOKEN", "")
        self._consul_token = environment.get("CONSUL_HTTP_TOKEN", "")
        self.target_option: str = getattr(args, "target", "") or environment.get("BOSSJY_TARGET", "")

    @property
    def language(self) -> str:
        """The language of names and sentences of the service: as given, else that of the messages for people."""
        return self.args.language or answer_language()

    def config(self, login: Login | None = None) -> ClientConfig:
        """Settings of the connection, from the options and the stored login. Raises SourceError, UsageError."""
        tls = self._option("tls", login)
        certificate, key = (_read(str(self._option(name, login) or "")) for name in ("cert_file", "key_file"))
        if (certificate is None) != (key is None):
            raise UsageError(tr("--cert-file and --key-file go together"))
        return ClientConfig(
            plaintext=None if tls is None else not tls,
            root_certificates=_read(str(self._option("ca_file", login) or "")),
            certificate=(certificate, key) if certificate and key else None,
            user_agent="bossjy-cli",
            consul_token=self._consul_token,
        )

    def _option(self, name: str, login: Login | None) -> str | bool | None:
        given: str | bool | None = getattr(self.args, name, None)
        return getattr(login, name) if given is None and login is not None else given

    def stored(self, login: Login) -> Login:
        """The login with the connection options, so that later commands do not need to repeat them."""
        return dataclasses.replace(
            login,
            tls=getattr(self.args, "tls", None),
            ca_file=self._path("ca_file"),
            cert_file=self._path("cert_file"),
            key_file=self._path("key_file"),
        )

    def _path(self, option: str) -> str:
        given: str = getattr(self.args, option, "")
        return str(Path(given).resolve()) if given else ""

    def login(self) -> Login:
        """The login for calls. Raises CredentialsError."""
        if self.output.as_json and self.output.as_csv:
            raise UsageError(tr("--json and --csv exclude each other: give one of them"))
        login: Login | None = None
        if self._token_file:
            self._token, self._token_file = _token_of(self._token_file), ""
        if self._token:  # at the service of the login, with its certificates, if no other one is named
            with suppress(CredentialsError):
                login = self.credentials.load(self.target_option)
            place = login or Login(target=self.target_option or DEFAULT_TARGET)
            return dataclasses.replace(
                place, tenant_id="", email="", access_token="", refresh_token="", api_key=self._token
            )
        login = self.credentials.load(self.target_option)
        if login is None:
            where = f" --target {self.target_option}" if self.target_option else ""
            raise CredentialsError(tr("not logged in: run `bossjy login{where}`, or set BOSSJY_TOKEN", where=where))
        return login

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connected client with the login's identity."""
        login = self.login()
        from bossjy_client.client import AsyncClient  # noqa: PLC0415 - errors before a connection do without gRPC

        client = await AsyncClient.connect(login.target, config=self.config(login))
        async with client:
            client.use_tokens(self._source(login, client))
            yield client

    async def renew(self, client: Client, target: str = "") -> None:
        """Exchange the tokens of the stored session, so that they get the rights of its user as they are now."""
        login = None if self._token else self.credentials.load(target or self.target_option)
        if login is not None and login.refresh_token:
            await self.credentials.renew(login.target, login.session, client.auth.refresh)

    def _source(self, login: Login, client: Client) -> TokenSource:
        if login.api_key:
            return StaticToken(login.api_key)

        async def refresh(tokens: SessionTokens) -> SessionTokens:
            return await self.credentials.renew(login.target, tokens, client.auth.refresh)

        return SessionSource(login.session, refresh)


def _token_of(file: str) -> str:
    """The first line of a file. Raises SourceError, which never contains what was given: it may be a token."""
    try:
        if file == "-":
            return sys.stdin.readline(_TOKEN_MAX_CHARS).strip()
        with Path(file).open(encoding="utf-8") as lines:
            found = lines.readline(_TOKEN_MAX_CHARS).strip()
    except (OSError, ValueError) as error:
        raise SourceError(
            tr(
                "--token takes the name of a file with the token, so that no list of processes shows the token; this "
                "file cannot be read. Give a file, - for standard input, or set BOSSJY_TOKEN"
            )
        ) from error
    if not found:
        raise SourceError(tr("--token: the first line of the file is empty"))
    return found


def _read(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
