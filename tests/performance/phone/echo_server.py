"""A stream with no work per item: a bare grpc.aio server that answers each message with one of its size."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from bossjy.phone.v1 import phone_service_pb2 as pb


class Echo(grpc.GenericRpcHandler):
    """Reads each request as the service does, and answers with the request's own columns."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The one method."""
        return grpc.stream_stream_rpc_method_handler(
            self.stream,
            request_deserializer=pb.StreamValidateNumbersRequest.FromString,
            response_serializer=pb.StreamValidateNumbersResponse.SerializeToString,
        )

    async def stream(
        self, requests: AsyncIterator[pb.StreamValidateNumbersRequest], _context: Any
    ) -> AsyncIterator[pb.StreamValidateNumbersResponse]:
        """One response for each request, of about its size."""
        async for request in requests:
            response = pb.StreamValidateNumbersResponse(sequence=request.sequence)
            if request.arrow_ipc:
                response.arrow_ipc = request.arrow_ipc
            else:
                response.columns.e164.extend(request.texts.phone_numbers)
            yield response


async def main(address: str) -> None:
    """Serve until the process is ended."""
    server = grpc.aio.server(
        options=[("grpc.max_receive_message_length", 8 * 2**20), ("grpc.max_send_message_length", 8 * 2**20)]
    )
    server.add_generic_rpc_handlers((Echo(),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
