"""HTTP API of a Consul agent: register a service, look for it, remove it."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from bossjy_server.discovery.options import DiscoveryOptions

_UNSPECIFIED = ("0.0.0.0", "::", "[::]", "*")  # noqa: S104 - compared, not bound
_PORTS = {"http": 80, "https": 443}


class AgentFailed(Exception):
    """The agent did not do it. The text says why, without the URL or the token."""


class Agent:
    """One agent of Consul. `close()` it."""

    def __init__(self, options: DiscoveryOptions) -> None:
        self._client = httpx.AsyncClient(
            base_url=options.url.rstrip("/"),
            headers={"x-consul-token": options.token} if options.token else {},
            timeout=options.timeout_s,
            follow_redirects=False,
            trust_env=False,  # only the settings are read from the environment
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def register(self, entry: dict[str, Any]) -> None:
        """Store an entry, or replace it with its checks. Raises AgentFailed."""
        await self._ask("PUT", "/v1/agent/service/register?replace-existing-checks=true", entry)

    async def has(self, entry_id: str) -> bool:
        """True if the agent knows the entry. Raises AgentFailed."""
        return await self._ask("GET", f"/v1/agent/service/{quote(entry_id, safe='')}") != 404

    async def remove(self, entry_id: str) -> None:
        """Remove the entry and its checks. Raises AgentFailed."""
        await self._ask("PUT", f"/v1/agent/service/deregister/{quote(entry_id, safe='')}")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> int:
        """The status: 200 or 404. Errors of httpx contain the URL: none of them may leave this function."""
        try:
            async with self._client.stream(method, path, json=body) as response:
                status = response.status_code
        except httpx.TimeoutException:
            raise AgentFailed("it did not answer in time") from None
        except httpx.RequestError as error:
            raise AgentFailed(f"the connection failed ({type(error).__name__})") from None
        if status in {401, 403}:
            raise AgentFailed(f"it answered {status}: set a token with service:write in BOSSJY_CONSUL_TOKEN")
        if status not in {200, 404}:
            raise AgentFailed(f"it answered {status}")
        return status


def address_for(options: DiscoveryOptions, host: str) -> str:
    """The address at which the agent and clients find a server that listens on `host`.

    For all addresses, it is the one from which this machine reaches the agent.
    """
    if options.address or host not in _UNSPECIFIED:
        return options.address or host
    agent = urlsplit(options.url)
    target = agent.hostname or "127.0.0.1", agent.port or _PORTS[agent.scheme]
    try:
        family, *_, place = socket.getaddrinfo(*target, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)  # sends nothing: it only selects a route
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
