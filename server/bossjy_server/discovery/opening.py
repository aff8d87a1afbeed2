"""Opening of the registration in Consul, by the settings."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext

from bossjy_server.discovery.options import DiscoveryOptions


def discoverable(options: DiscoveryOptions, host: str, port: int, *, tls: bool) -> AbstractAsyncContextManager[None]:
    """Keep the server at `host` and `port` in Consul during the block, if the settings name an agent."""
    if not options.url:
        return nullcontext()
    from bossjy_server.discovery.consul_registration import registered  # noqa: PLC0415 - most servers need no HTTP client

    return registered(options, host, port, tls=tls)
