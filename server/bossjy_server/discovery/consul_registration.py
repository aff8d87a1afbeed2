"""Registration of this server in Consul: while it serves, and again after an agent that lost its entries.

An agent that does not answer never keeps the server from serving or from ending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from bossjy_server.blocking import in_thread
from bossjy_server.discovery.agent import Agent, AgentFailed, address_for
from bossjy_server.discovery.options import DiscoveryOptions
from bossjy_server.tasks import end_task

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def registered(options: DiscoveryOptions, host: str, port: int, *, tls: bool) -> AsyncIterator[None]:
    """Keep the server that listens on `host` and `port` in Consul while the block runs.

    The entry is removed at the end of the block, which then waits `leave_s`: callers hear of it before the drain.
    """
    agent = Agent(options)
    address = await in_thread(address_for, options, host)  # a name can take a while to resolve
    entry = entry_of(options, address, port, tls=tls)
    keeping = asyncio.create_task(_keep(agent, entry, options))
    try:
        yield
    finally:
        await end_task(keeping)
        with suppress(AgentFailed):
            await agent.remove(entry["ID"])
            _LOG.info("left Consul as %s", entry["ID"])
            await asyncio.sleep(options.leave_s)
        await agent.close()


def entry_of(options: DiscoveryOptions, address: str, port: int, *, tls: bool) -> dict[str, Any]:
    """The entry of a server, with a check of its overall health by the gRPC health protocol."""
    place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return {
        "ID": f"{options.service}-{address}-{port}",
        "Name": options.service,
        "Address": address,
        "Port": port,
        "Tags": list(options.tags),
        "Meta": {"version": version("bossjy-server"), "tls": "on" if tls else "off"},
        "Check": {
            "Name": "gRPC health",
            "GRPC": place,
            "GRPCUseTLS": tls,
            "Interval": f"{options.check_interval_s:g}s",
            "Timeout": f"{min(options.check_interval_s, 5.0):g}s",
            "DeregisterCriticalServiceAfter": f"{options.remove_after_s:g}s",
            # The server serves when it registers: callers need not wait for the first check.
            "Status": "passing",
        },
    }


async def _keep(agent: Agent, entry: dict[str, Any], options: DiscoveryOptions) -> None:
    """Register, and register again when the agent does not know the entry; never returns."""
    wait_s, known, failure = options.renew_s, False, ""
    while True:
        try:
            if not known or not await agent.has(entry["ID"]):
                await agent.register(entry)
                _LOG.info("registered in Consul as %s", entry["ID"])
            wait_s, known, failure = options.renew_s, True, ""
        except AgentFailed as error:
            if str(error) != failure:  # once for each cause, not once for each attempt
                failure = str(error)
                _LOG.warning("Consul's agent cannot be used (%s): the server serves without it and tries again", error)
            wait_s = min(wait_s * 2, options.longest_wait_s)
        await asyncio.sleep(wait_s)
