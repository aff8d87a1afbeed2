"""A bare grpc.aio server that answers each call with its own bytes: the fixed cost of any Python service.

python -m tests.performance.unary.echo_server ADDRESS [uvloop]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
import grpc.aio

from bossjy_server.loop import run


class Echo(grpc.GenericRpcHandler):
    """One handler for all methods, made once."""

    def __init__(self) -> None:
        async def echo(raw: bytes, _context: Any) -> bytes:
            return raw

        self._handler: Any = grpc.unary_unary_rpc_method_handler(echo)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The one handler."""
        return self._handler


async def main(address: str) -> None:
    """Serve until the process is ended."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    (run if sys.argv[2:] == ["uvloop"] else asyncio.run)(main(sys.argv[1]))
