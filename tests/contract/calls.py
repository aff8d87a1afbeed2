"""Calls with raw bytes to any method of a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from bossjy_server.app import AUTH, CONTACTS, IMPORTS, PHONE
from bossjy_server.rpc.method import Method, methods_of
from tests.service import Service

METHODS = [method for descriptor in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(descriptor)]
# They would end the session that the other requests need: sent without credentials.
ENDING = {"Logout", "DisableUser", "RevokeSession"}


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason of the error's ErrorInfo; '' without one."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""


async def answer(service: Service, method: Method, messages: list[bytes]) -> tuple[str, str]:
    """The code and the reason that the server gives.

    A client of grpc.aio whose stream is refused while it still writes can report an INTERNAL of its own in place of the
    server's status (grpc/grpc#36066): such a call is made again. That the server itself gave none is read in its log.
    """
    for _ in range(8):
        code, reason = await send(service, method, messages)
        if not (method.client_streaming and code == "INTERNAL" and not reason):
            return code, reason
    return await send(service, method, messages)


async def send(service: Service, method: Method, messages: list[bytes], token: str | None = None) -> tuple[str, str]:
    """Send the messages as one call. Returns the code and the reason. `token`: of whom, if not of the owner."""
    metadata = service.metadata if method.name not in ENDING else ()
    if token is not None:
        metadata = (("authorization", f"Bearer {token}"),)
    channel: Any = service.channel

    async def stream() -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    try:
        async with asyncio.timeout(60):
            if method.client_streaming:
                # A part waits for the header that another part brings, longer than this.
                running = channel.stream_stream(method.path)(stream(), metadata=metadata, timeout=10)
                async for _ in running:
                    pass
            elif method.server_streaming:
                running = channel.unary_stream(method.path)(messages[0], metadata=metadata, timeout=2)
                async for _ in running:
                    pass
            else:
                # A first comparison of two plans takes seconds of a core.
                await channel.unary_unary(method.path)(messages[0], metadata=metadata, timeout=25)
    except grpc.aio.AioRpcError as error:
        return error.code().name, reason_of(error)
    except TimeoutError:
        return "HANG", ""  # past its own deadline
    return "OK", ""
