"""Calls with raw bytes to any method of a service."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio

from bossjy_server.rpc.method import Method, methods_of
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE
from tests.service import Service
from tests.stream_status import reason_of, stream_status

METHODS = [method for descriptor in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(descriptor)]
# These would end the session that other requests need, so they are sent without credentials.
ENDING = {"Logout", "DisableUser", "DeleteUser", "RevokeSession"}


async def send(service: Service, method: Method, messages: list[bytes], token: str | None = None) -> tuple[str, str]:
    """Send the messages as one call. Returns the code and the reason. `token`: of the caller, by default the owner."""
    metadata = service.metadata if method.name not in ENDING else ()
    if token is not None:
        metadata = (("authorization", f"Bearer {token}"),)
    channel: Any = service.channel
    if method.client_streaming:
        # A part waits longer than this for the header from another part.
        ended = await stream_status(service.address, method.path, messages, metadata, timeout_s=10)
        return ended.code, ended.reason
    try:
        async with asyncio.timeout(60):
            if method.server_streaming:
                running = channel.unary_stream(method.path)(messages[0], metadata=metadata, timeout=2)
                async for _ in running:
                    pass
            else:
                # A first comparison of two plans takes seconds of CPU time.
                await channel.unary_unary(method.path)(messages[0], metadata=metadata, timeout=25)
    except grpc.aio.AioRpcError as error:
        return error.code().name, reason_of(error)
    except TimeoutError:
        return "HANG", ""  # past its own deadline
    return "OK", ""
