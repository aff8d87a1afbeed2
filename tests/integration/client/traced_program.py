"""Program that traces its calls: python -m tests.integration.client.traced_program RECEIVER TARGET, token on stdin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bossjy_client import AsyncClient, NotFoundError, SyncClient


async def numbers() -> AsyncIterator[list[str]]:
    """Numbers to validate."""
    for _ in range(3):
        yield ["13800138000"]


async def use(target: str, token: str) -> None:
    """Calls of each kind."""
    async with await AsyncClient.connect(target, token=token) as client:
        await client.contacts.stats()
        assert [answer async for answer in client.phone.validate_stream(numbers(), default_region="CN")]
        await client.imports.upload_file(b"name,phone\nann,13800138000\n", region="CN")
        assert [piece async for piece in client.contacts.export()]


def use_synchronously(target: str, token: str) -> None:
    """A call, a stream, and an error."""
    with SyncClient.connect(target, token=token) as client:
        client.auth.me()
        assert list(client.contacts.export())
        with suppress(NotFoundError):
            client.contacts.get("+8613911111111")


def main() -> None:
    """Trace each part under a span of its own."""
    receiver, target = sys.argv[1:]
    token = sys.stdin.readline()
    provider = TracerProvider(resource=Resource.create({"service.name": "program"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=receiver, insecure=True)))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("program")
    with tracer.start_as_current_span("asynchronous"):
        asyncio.run(use(target, token))
    with tracer.start_as_current_span("synchronous"):
        use_synchronously(target, token)
    provider.shutdown()


if __name__ == "__main__":
    main()
