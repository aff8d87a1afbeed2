"""Connect with settings of your own: an interceptor, load balancing, an option of the channel, metadata of a call."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio

from bossjy_client import AsyncClient, ClientConfig


class Timing(grpc.aio.UnaryUnaryClientInterceptor):
    """Collects the duration of each call."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def intercept_unary_unary(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        """Measure one call."""
        began = time.perf_counter()
        call = await continuation(client_call_details, request)
        await call.code()
        self.seconds.append(time.perf_counter() - began)
        return call


async def main() -> None:
    """Print the number of measured calls."""
    timing = Timing()
    config = ClientConfig(
        interceptors=[timing],
        load_balancing="round_robin",
        channel_options=[("grpc.keepalive_time_ms", 30_000)],
    )
    target, token = os.environ["BOSSJY_TARGET"], os.environ["BOSSJY_TOKEN"]
    async with await AsyncClient.connect(target, token=token, config=config) as client:
        await client.phone.validate("138 0014 4001", "CN", metadata={"x-team": "billing"}, request_id="order-check-a")
    print(len(timing.seconds), "call measured")


if __name__ == "__main__":
    asyncio.run(main())
