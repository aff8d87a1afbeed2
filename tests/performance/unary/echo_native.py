"""A bare h2corn server that answers each gRPC call with its own bytes: the fixed cost of the native front end.

python -m tests.performance.unary.echo_native ADDRESS
"""

from __future__ import annotations

import sys
from typing import Any

import h2corn

from bossjy_server.loop import run

BEGIN = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/grpc")],
    "trailers": True,
}
END = {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]}


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """A request of one message, which comes in one event."""
    event = await receive()
    body = event["body"]
    while event.get("more_body", False):
        event = await receive()
    await send(BEGIN)
    await send({"type": "http.response.body", "body": body, "more_body": False})
    await send(END)


async def main(address: str) -> None:
    """Serve until the process is ended."""
    config = h2corn.Config(
        bind=(address,), grpc=True, lifespan="off", access_log=False, date_header=False, runtime_threads=1
    )
    await h2corn.Server(echo, config).serve()


if __name__ == "__main__":
    run(main(sys.argv[1]))
