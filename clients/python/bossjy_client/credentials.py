"""Credentials file of the command-line tool: one login for each service, readable only by its owner."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bossjy_client.errors import CredentialsError
from bossjy_client.places import locked, write_private
from bossjy_client.tokens import SessionTokens


@dataclass(frozen=True, slots=True)
class Login:
    """One login: a session, or an API key."""

    target: str
    tenant_id: str = ""
    email: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    access_expire_s: float = 0.0
    api_key: str = field(default="", repr=False)
    tls: bool | None = None
    # Paths as given at login; empty if there are none.
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @property
    def session(self) -> SessionTokens:
        """The tokens of the session."""
        return SessionTokens(self.access_token, self.refresh_token, self.access_expire_s)

    def renewed(self, tokens: SessionTokens) -> Login:
        """The same login with new tokens."""
        return dataclasses.replace(
            self,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            access_expire_s=tokens.access_expire_s,
        )


class CredentialsFile:
    """JSON: `current` is a target, `logins` maps targets to logins. Every method raises CredentialsError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, target: str = "") -> Login | None:
        """The login for `target`; if empty, the current one. None if there is none."""
        logins, current = self._read()
        return logins.get(target or current)

    def save(self, login: Login) -> None:
        """Store a login and make it the current one."""
        with locked(self.path):
            logins, _ = self._read()
            self._write({**logins, login.target: login}, login.target)

    def remove(self, target: str) -> None:
        """Delete a login."""
        with locked(self.path):
            logins, current = self._read()
            logins.pop(target, None)
            self._write(logins, current if current in logins else next(iter(logins), ""))

    async def renew(
        self, target: str, tokens: SessionTokens, refresh: Callable[[SessionTokens], Awaitable[SessionTokens]]
    ) -> SessionTokens:
        """Exchange `tokens`, unless another process did so in the meantime: a refresh token works once."""
        lock = locked(self.path)
        await asyncio.to_thread(lock.__enter__)
        try:
            logins, current = self._read()
            login = logins.get(target)
            if login is not None and login.refresh_token and login.refresh_token != tokens.refresh_token:
                return login.session
            new = await refresh(tokens)
            if login is not None:
                self._write({**logins, target: login.renewed(new)}, current)
            return new
        finally:
            lock.__exit__(None, None, None)

    def _read(self) -> tuple[dict[str, Login], str]:
        try:
            if self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise CredentialsError(f"{self.path} can be read by others: run `chmod 600 {self.path}`")
            content = json.loads(self.path.read_text(encoding="utf-8"))
            logins = {target: Login(target=target, **entry) for target, entry in content["logins"].items()}
        except FileNotFoundError:
            return {}, ""
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CredentialsError(f"{self.path} cannot be read; remove it and log in again") from error
        return logins, str(content.get("current", ""))

    def _write(self, logins: dict[str, Login], current: str) -> None:
        entries = {target: _entry(login) for target, login in logins.items()}
        write_private(self.path, json.dumps({"current": current, "logins": entries}, indent=1) + "\n")


def _entry(login: Login) -> dict[str, object]:
    entry = dataclasses.asdict(login)
    del entry["target"]
    return entry
