"""One call on its way through the chain. Knows nothing of grpc.aio, so that another front end can be put under it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from bossjy_server.context import CallContext
from bossjy_server.rpc.method import Method


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ended. `code` is a name of google.rpc.Code; `details` a serialised google.rpc.Status, or empty."""

    code: str = "OK"
    message: str = ""
    details: bytes = b""
    reason: str = ""


OK = Status()


@dataclass(slots=True)
class Call:
    """A call: what came, where answers go, how it ended."""

    method: Method
    context: CallContext
    metadata: Mapping[str, str]  # lower-case key to its value; of a repeated key, to the last
    repeated: frozenset[str]  # the keys that stand more than once
    raw_request: bytes  # of a single request; empty for a stream
    raw_requests: AsyncIterator[bytes] | None
    send: Callable[[bytes], Awaitable[None]]  # writes one message of a response stream
    started: float  # monotonic clock, seconds
    request: Message | None = None
    # Of a stream: messages, or pairs where `Method.split` is set.
    requests: AsyncIterator[Message] | AsyncIterator[tuple[Message, Any]] | None = None
    reply: bytes = b""  # the single response, serialised
    sent: int = 0  # messages of the response stream
    status: Status = field(default=OK)
    # The names in the client certificate that the transport verified, read when asked for; see rpc/tls.py.
    peer_names: Callable[[], tuple[str, ...]] = tuple
    # Called once the transport has let the call go: its status reached the client, or the connection is gone.
    at_close: Callable[[], None] | None = None


# Runs the rest of the chain for a call: fills `reply` or sends messages.
Proceed = Callable[[Call], Awaitable[None]]
# One concern: built once for each method, wraps the rest of the chain. Returns `proceed` itself where it has no work.
Concern = Callable[[Method, Proceed], Proceed]


def compose(method: Method, concerns: Sequence[Concern], innermost: Proceed) -> Proceed:
    """Wrap `innermost` in the concerns, the first one outermost."""
    proceed = innermost
    for concern in reversed(concerns):
        proceed = concern(method, proceed)
    return proceed
