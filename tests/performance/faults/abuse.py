"""Abusive callers: floods of pings, streams that are opened and cancelled."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import grpc.aio

from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from tests.performance.faults.calls import NUMBERS, Caller

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"12345678"
_GOAWAY, _CALM = 7, 11


async def ping_flood(target: str, wait_s: float = 10.0) -> bool:
    """Send pings as fast as possible. True if the server ended the connection with ENHANCE_YOUR_CALM."""
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(_PREFACE)
        async with asyncio.timeout(wait_s):
            flooding = asyncio.create_task(_flood(writer))
            try:
                while True:
                    head = await reader.readexactly(9)
                    body = await reader.readexactly(int.from_bytes(head[:3]))
                    if head[3] == _GOAWAY:
                        return int.from_bytes(body[4:8]) == _CALM
            finally:
                flooding.cancel()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return False
    finally:
        writer.close()


async def _flood(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while True:
            writer.write(_PING * 10)
            await writer.drain()
            await asyncio.sleep(0.005)


async def cancelled_streams(caller: Caller, count: int, at_once: int = 50) -> int:
    """Open streams, send a message, cancel before or after the first answer. Returns the number of cancelled ones."""
    places = asyncio.Semaphore(at_once)
    cancelled = 0

    async def one(number: int) -> None:
        nonlocal cancelled
        async with places:
            stub = phone_service_pb2_grpc.PhoneServiceStub(caller.channel())
            call = stub.StreamValidateNumbers(_endless(), metadata=caller.metadata)
            with suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
                if number % 2:
                    await call.read()
                else:
                    await asyncio.sleep(0)
            cancelled += call.cancel()

    await asyncio.gather(*(one(number) for number in range(count)))
    return cancelled


async def main(target: str, count: int, token: str) -> int:
    """Cancel `count` streams as the caller of `token`. Returns 1 if hardly any was open."""
    async with Caller(target, connections=4, token=token) as caller:
        cancelled = await cancelled_streams(caller, count)
    print(f"    {cancelled} of {count} streams cancelled while they were open", flush=True)
    return int(cancelled < count / 2)


async def _endless() -> AsyncIterator[phone_service_pb2.StreamValidateNumbersRequest]:
    texts = phone_service_pb2.NumberTexts(phone_numbers=NUMBERS[:20])
    while True:
        yield phone_service_pb2.StreamValidateNumbersRequest(texts=texts)
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.stdin.read().strip())))
