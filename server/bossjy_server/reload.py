"""Reload of signing keys and certificates at SIGHUP. A file that cannot be used changes nothing."""

from __future__ import annotations

import asyncio

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.blocking import in_thread
from bossjy_server.rpc.tls import Certificates
from bossjy_server.telemetry.logging import Log


async def reload_when(wanted: asyncio.Event, keys: Keys, certificates: Certificates | None, log: Log) -> None:
    """Reload each time that `wanted` is set; never returns."""
    while True:
        await wanted.wait()
        wanted.clear()
        await reload(keys, certificates, log)


async def reload(keys: Keys, certificates: Certificates | None, log: Log) -> None:
    """Read the signing keys and check the certificates. Logs one line for each with the result.

    gRPC reads changed certificates at the next handshake; here their files are only checked.
    """
    try:
        await in_thread(keys.reload)
        log.info("signing keys were read again", count=len(keys.known()), signing=keys.signing.kid)
    except (OSError, ValueError) as error:
        log.warning("the key folder cannot be read; the loaded keys stay in use", error=str(error))
    if certificates is None:
        return
    fault = await in_thread(certificates.fault)
    if fault:
        log.warning("the certificates cannot be used; the loaded ones stay in use", error=fault)
    else:
        log.info("certificates are valid; new connections use them", ends=await in_thread(certificates.ends))
