"""The server's status of a stream that ends while its client may still write.

The client of grpc.aio can lose it: if a refusal crosses a write, it reports INTERNAL, "Internal error from Core", in 10
to 90 % of the tries on a busy machine (grpc/grpc issue 36066). The synchronous client does not, so it makes the call
here, in a thread. Calls whose client sends one message are not affected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

# Not the loop's own threads: a service in the same process may need those to answer.
_THREADS = ThreadPoolExecutor(32, thread_name_prefix="stream-status")

RpcStatus: TypeAlias = grpc.aio.AioRpcError | grpc.Call
Metadata: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a stream: its answers in wire format, and the error, which is None if the status is OK."""

    answers: list[bytes] = field(default_factory=list)
    error: grpc.Call | None = None

    @property
    def code(self) -> str:
        return "OK" if self.error is None else str(self.error.code().name)

    @property
    def reason(self) -> str:
        """The reason in ErrorInfo; empty if the server gave none."""
        return "" if self.error is None else reason_of(self.error)


def reason_of(error: RpcStatus) -> str:
    """The reason in the ErrorInfo of an error; empty if it has none."""
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""


async def stream_status(
    target: str,
    path: str,
    messages: Iterable[bytes | Message],
    metadata: Metadata = (),
    *,
    timeout_s: float = 60.0,
    on_answer: Callable[[bytes], None] | None = None,
) -> Ended:
    """Call a bidirectional streaming method with these messages, over a new connection, and read until it ends.

    `messages` runs in a thread of gRPC. `on_answer` runs in the caller's loop, for each answer.
    """
    loop = asyncio.get_running_loop()

    def read() -> Ended:
        answers: list[bytes] = []
        with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            call: Any = channel.stream_stream(path, request_serializer=_wire)
            try:
                for answer in call(iter(messages), metadata=metadata, timeout=timeout_s):
                    answers.append(answer)
                    if on_answer is not None:
                        loop.call_soon_threadsafe(on_answer, answer)
            except grpc.RpcError as error:
                return Ended(answers, cast("grpc.Call", error))  # it is both
        return Ended(answers)

    return await loop.run_in_executor(_THREADS, read)


def _wire(message: bytes | Message) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()
