"""Client object for one service and one identity."""

from __future__ import annotations

from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bossjy_client.call_options import take_options
from bossjy_client.config import ClientConfig
from bossjy_client.connection import Connection
from bossjy_client.tokens import SessionSource, SessionTokens, StaticToken, TokenSource

if TYPE_CHECKING:
    from bossjy_client.auth import AuthClient
    from bossjy_client.contacts import ContactClient
    from bossjy_client.imports import ImportClient
    from bossjy_client.phone import PhoneClient
    from bossjy_client.tenant import TenantClient
    from bossjy_client.users import UserClient

# The module and the class of each part of a client. A part is imported at its first use, with its messages.
PARTS = {
    "auth": ("auth", "AuthClient"),
    "users": ("users", "UserClient"),
    "tenant": ("tenant", "TenantClient"),
    "phone": ("phone", "PhoneClient"),
    "contacts": ("contacts", "ContactClient"),
    "imports": ("imports", "ImportClient"),
}


class AsyncClient:
    """BossJy for programs. Made by `connect`, closed by `close` or `async with`.

    async with await AsyncClient.connect("127.0.0.1:18001", token=key) as client:
        answer = await client.phone.validate("138 0000 0000", "CN", timeout=5)

    Every method takes `timeout` (seconds for all that it does), `metadata` (pairs, or a mapping) and `request_id` (the
    id of the call in the logs). A method with a parameter `request_id` of its own keeps that meaning.
    """

    if TYPE_CHECKING:
        auth: AuthClient
        users: UserClient
        tenant: TenantClient
        phone: PhoneClient
        contacts: ContactClient
        imports: ImportClient

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        """A part of the client, made at its first use."""
        if name not in PARTS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        module, kind = PARTS[name]
        part = getattr(import_module(f"bossjy_client.{module}"), kind)(self._connection)
        take_options(part)
        setattr(self, name, part)
        return part

    def __dir__(self) -> list[str]:
        """The names of a client, for completion in notebooks."""
        return sorted({*super().__dir__(), *PARTS})

    @classmethod
    async def connect(
        cls,
        target: str,
        *,
        token: str = "",
        tenant_id: str = "",
        email: str = "",
        password: str = "",
        tokens: TokenSource | None = None,
        config: ClientConfig | None = None,
        connect_timeout_s: float | None = None,
    ) -> Self:
        """Connect to `target` and, with a password, log in.

        The target is `HOST:PORT`, `consul://AGENT:PORT/SERVICE` (docs/discovery.md), or any of gRPC. Give `token` (an
        API key or access token), or `tenant_id`, `email` and `password`, or a TokenSource of yours, or nothing for
        the public methods. A login renews its access token automatically. Raises UnavailableError with the cause if
        there is no connection within `connect_timeout_s` seconds (None: less than
        three seconds), UnauthenticatedError if the login is rejected.
        """
        connection = Connection(target, config or ClientConfig(), tokens or StaticToken(token))
        client = cls(connection)
        try:
            await connection.wait_until_ready(connect_timeout_s)
            if password:
                answer = await client.auth.login(tenant_id, email, password)
                client.use_session(SessionTokens.of(answer.tokens))
        except BaseException:
            await client.close()
            raise
        return client

    def use_session(self, tokens: SessionTokens) -> None:
        """Continue with the tokens of a session, such as those of Register or Login; they are renewed as needed."""
        self._connection.tokens = SessionSource(tokens, self.auth.refresh)

    def use_tokens(self, tokens: TokenSource) -> None:
        """Continue with the tokens of another source."""
        self._connection.tokens = tokens

    @property
    def target(self) -> str:
        """The address of the service."""
        return self._connection.target

    async def token(self) -> str:
        """The current token of calls; empty if there is none."""
        return await self._connection.tokens.token()

    async def close(self) -> None:
        """Close the connection. The session continues; `auth.logout` ends it."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()


# The former name.
Client = AsyncClient
