"""Tenant of the demonstration: created once with random credentials; later starts log in to it again."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bossjy_client import Client, SessionTokens, UnauthenticatedError
from bossjy_client.places import write_private
from bossjy_server.errors import StartError

EMAIL = "demo@example.com"
SCOPES = ("contacts.read", "contacts.write", "imports.read", "imports.revert", "imports.write", "phone.read")


@dataclass(frozen=True, slots=True)
class Demo:
    """Stored state of the demonstration, in DATA_DIR/demo/credentials.json, readable only by its owner."""

    tenant_id: str
    email: str
    password: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    requests: dict[str, str] = field(default_factory=dict)  # SHA-256 of the file to the request id of its import


class DemoFolder:
    """The folder DATA_DIR/demo."""

    def __init__(self, folder: Path) -> None:
        self._credentials = folder / "credentials.json"
        self.token = folder / "token"

    @property
    def credentials(self) -> Path:
        """The file with tenant, mail address and password."""
        return self._credentials

    def load(self) -> Demo | None:
        """The state of an earlier start; None if there was none. Raises StartError."""
        try:
            return Demo(**json.loads(self._credentials.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            text = f"{self._credentials} cannot be read: remove it, and the demonstration creates a new tenant"
            raise StartError(text) from error

    def save(self, demo: Demo) -> None:
        """Save the state. The token is in a separate file, for shells."""
        write_private(self._credentials, json.dumps(asdict(demo), indent=1) + "\n")
        write_private(self.token, demo.api_key + "\n")


async def enter(client: Client, folder: DemoFolder, registration_token: str | None) -> tuple[Demo, bool]:
    """Log in as the demonstration's tenant, or create it; true if it was created now. Raises StartError."""
    known = folder.load()
    if known is not None:
        try:
            answer = await client.auth.login(known.tenant_id, known.email, known.password)
        except UnauthenticatedError:
            pass  # another database than last time: it lacks the tenant
        else:
            client.use_session(SessionTokens.of(answer.tokens))
            return known, False
    if registration_token is None:
        raise StartError(
            "this database has tenants, but not the demonstration's: "
            "set BOSSJY_REGISTRATION=open for one start, or use another BOSSJY_DATA_DIR and no DATABASE_URL"
        )
    password = secrets.token_urlsafe(24)
    made = await client.auth.register("Demonstration", EMAIL, password, registration_token=registration_token)
    demo = Demo(made.tenant.tenant_id, EMAIL, password)
    # Saved immediately: the registration token works once, and this password is nowhere else.
    folder.save(demo)
    client.use_session(SessionTokens.of(made.tokens))
    return demo, True


async def with_api_key(client: Client, demo: Demo) -> Demo:
    """The demonstration with a valid API key, for the reader's calls."""
    if demo.api_key and await client.auth.holds(demo.api_key):
        return demo
    made = await client.auth.create_api_key("demonstration", SCOPES)
    return Demo(demo.tenant_id, demo.email, demo.password, made.secret, demo.requests)
