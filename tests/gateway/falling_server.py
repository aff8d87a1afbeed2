"""A server that reads one call, notes it in the file CALLS, and dies by SIGKILL: a program."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2_grpc


class _Any(grpc.GenericRpcHandler):
    """Every method that is not health. The keys are public and may be asked for at any time."""

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method.endswith("/GetJwks"):
            return grpc.unary_unary_rpc_method_handler(_empty)
        return grpc.unary_unary_rpc_method_handler(_fall)


async def _empty(_request: bytes, _context: Any) -> bytes:
    return b""


async def _fall(_request: bytes, _context: Any) -> bytes:
    file = os.open(os.environ["CALLS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b"call\n")
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


async def main() -> None:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    server.add_generic_rpc_handlers((_Any(),))
    server.add_insecure_port(f"127.0.0.1:{os.environ['BOSSJY_PORT']}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    Path(os.environ["CALLS"]).touch()
    asyncio.run(main())
