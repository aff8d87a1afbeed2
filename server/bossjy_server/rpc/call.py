"""One call in the chain of interceptors. Independent of grpc.aio, so that another front end can use the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from bossjy_server.context import CallContext
from bossjy_server.rpc.method import Method


@dataclass(frozen=True, slots=True)
class Status:
    """Status of an ended call. `code`: name of google.rpc.Code; `details`: serialised google.rpc.Status, or empty."""

    code: str = "OK"
    message: str = ""
    details: bytes = b""
    reason: str = ""


OK = Status()


@dataclass(slots=True)
class Call:
    """A call: its request, the channel for its answers, its status."""

    method: Method
    context: CallContext
    metadata: Mapping[str, str]  # lower-case key to its value, the last one for a repeated key
    repeated: frozenset[str]  # the keys that occur more than once
    raw_request: bytes  # of a unary request; empty for a stream
    raw_requests: AsyncIterator[bytes] | None
    send: Callable[[bytes], Awaitable[None]]  # writes one message of a response stream
    started: float  # monotonic clock, seconds
    request: Message | None = None
    # Of a stream: messages, or pairs where `Method.split` is set.
    requests: AsyncIterator[Message] | AsyncIterator[tuple[Message, Any]] | None = None
    reply: bytes = b""  # the unary response, serialised
    sent: int = 0  # messages of the response stream
    status: Status = field(default=OK)
    peer: str = ""  # gRPC's name of the connection's other end
    # The names in the client certificate that the transport verified, read on demand; see rpc/tls.py.
    peer_names: Callable[[], tuple[str, ...]] = tuple
    # Called when the transport has finished the call: its status reached the client, or the connection is gone.
    at_close: Callable[[], None] | None = None


# Runs the rest of the chain for a call: fills `reply` or sends messages.
Proceed = Callable[[Call], Awaitable[None]]
# One interceptor: built once per method, wraps the rest of the chain. Returns `proceed` itself if it has no work.
Concern = Callable[[Method, Proceed], Proceed]


@dataclass(frozen=True, slots=True)
class Route:
    """A served method: its chain, and the end of it, from which another front end composes a chain of its own."""

    method: Method
    proceed: Proceed
    innermost: Proceed


def compose(method: Method, concerns: Sequence[Concern], innermost: Proceed) -> Proceed:
    """Wrap `innermost` in the interceptors, the first one outermost."""
    proceed = innermost
    for concern in reversed(concerns):
        proceed = concern(method, proceed)
    return proceed
