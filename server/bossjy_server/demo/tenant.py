"""The demonstration's tenant: made once with random credentials, logged in to again at every later start."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bossjy_client import Client, SessionTokens, UnauthenticatedError
from bossjy_client.places import write_private
from bossjy_server.errors import StartError

EMAIL = "demo@example.com"
SCOPES = ("contacts.read", "contacts.write", "imports.read", "imports.write", "phone.read")


@dataclass(frozen=True, slots=True)
class Demo:
    """What is kept of the demonstration, in DATA_DIR/demo/credentials.json, readable by its owner alone."""

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
        """Where tenant, mail address and password stand."""
        return self._credentials

    def load(self) -> Demo | None:
        """What an earlier start kept; None if there was none. Raises StartError."""
        try:
            return Demo(**json.loads(self._credentials.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            text = f"{self._credentials} cannot be read: remove it, and the demonstration makes a new tenant"
            raise StartError(text) from error

    def save(self, demo: Demo) -> None:
        """Keep it; the token stands in a file of its own, for shells."""
        write_private(self._credentials, json.dumps(asdict(demo), indent=1) + "\n")
        write_private(self.token, demo.api_key + "\n")


async def enter(client: Client, folder: DemoFolder, registration_token: str | None) -> tuple[Demo, bool]:
    """Log in as the demonstration's tenant, or make it; whether it was made now. Raises StartError."""
    known = folder.load()
    if known is not None:
        try:
            answer = await client.auth.login(known.tenant_id, known.email, known.password)
        except UnauthenticatedError:
            pass  # another database than last time: the tenant is not there
        else:
            client.use_session(SessionTokens.of(answer.tokens))
            return known, False
    if registration_token is None:
        raise StartError(
            "this database has tenants, and none of them is the demonstration's: "
            "set BOSSJY_REGISTRATION=open for one start, or use another BOSSJY_DATA_DIR and no DATABASE_URL"
        )
    password = secrets.token_urlsafe(24)
    made = await client.auth.register("Demonstration", EMAIL, password, registration_token=registration_token)
    demo = Demo(made.tenant.tenant_id, EMAIL, password)
    # Kept at once: the registration token works once, and this password stands nowhere else.
    folder.save(demo)
    client.use_session(SessionTokens.of(made.tokens))
    return demo, True


async def with_api_key(client: Client, demo: Demo) -> Demo:
    """The demonstration with an API key that holds, for the calls that the reader makes."""
    if demo.api_key and await client.auth.holds(demo.api_key):
        return demo
    made = await client.auth.create_api_key("demonstration", SCOPES)
    return Demo(demo.tenant_id, demo.email, demo.password, made.secret, demo.requests)
