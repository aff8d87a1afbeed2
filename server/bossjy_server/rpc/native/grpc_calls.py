"""gRPC over ASGI: one request through the chain, its answers as frames, its status as trailers."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from google.rpc import code_pb2

from bossjy_server.errors import BossjyError
from bossjy_server.rpc.call import Call, Proceed, Route, Status
from bossjy_server.rpc.errors import status_of
from bossjy_server.rpc.native.asgi import PART, START, TRAILERS, Event, Headers, Receive, Scope, Send
from bossjy_server.rpc.native.deadlines import within_deadline
from bossjy_server.rpc.native.frames import ENCODINGS, Messages, framed
from bossjy_server.rpc.native.request import call_of, metadata_bytes
from bossjy_server.rpc.options import ServerOptions
from bossjy_server.rpc.server import Router

_CODES = {name: str(number).encode() for name, number in code_pb2.Code.items()}
_HEADERS: Headers = [(b"content-type", b"application/grpc"), (b"grpc-accept-encoding", b"identity,deflate,gzip")]
_BEGIN: Event = {"type": START, "status": 200, "headers": _HEADERS, "trailers": True}
_NO_MORE: Event = {"type": PART, "body": b"", "more_body": False}
_OK = (b"grpc-status", b"0")
# All printable ASCII characters but the percent sign.
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class GrpcCalls:
    """Answers gRPC requests by the routes of a router."""

    def __init__(self, router: Router, options: ServerOptions) -> None:
        self._routes, self._unknown, self._proxies = router.routes, router.unknown, router.proxies
        self._most, self._metadata_most = options.max_received_bytes, options.max_metadata_bytes

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._routes.get(scope["path"], self._unknown)
        call = call_of(Call, route.method, scope, self._proxies)
        refusal = self._refusal(call, scope)
        if refusal is not None:
            await send(_BEGIN)
            await _end(call, send, refusal)
            return
        messages = Messages(receive, self._most, call.metadata.get("grpc-encoding", ""))
        if route.method.server_streaming or route.method.client_streaming:
            await _stream(route, call, messages, send)
        else:
            await _unary(route.proceed, call, messages, send)

    def _refusal(self, call: Call, scope: Scope) -> Status | None:
        """The status of a request that grpc would refuse before any handler; it has no ErrorInfo there either."""
        size = metadata_bytes(call, scope["headers"])
        if size > self._metadata_most:
            text = f"received metadata size exceeds limit ({size} vs. {self._metadata_most})"
            return Status("RESOURCE_EXHAUSTED", text)
        encoding = call.metadata.get("grpc-encoding", "")
        if encoding not in ENCODINGS:
            return Status("UNIMPLEMENTED", f"the compression {encoding[:20]} is not supported: use gzip or none")
        return None


async def _unary(proceed: Proceed, call: Call, messages: Messages, send: Send) -> None:
    try:
        call.raw_request = await messages.only()
    except BossjyError as error:
        call.status = status_of(error, call.context.request_id)
    else:
        await within_deadline(proceed, call)
    await send(_BEGIN)
    if call.status.code == "OK":
        await send({"type": PART, "body": framed(call.reply), "more_body": False})
        await send({"type": TRAILERS, "headers": [_OK, (b"x-request-id", call.context.request_id.encode())]})
    else:
        await _end(call, send, call.status)


async def _stream(route: Route, call: Call, messages: Messages, send: Send) -> None:
    begun = False

    async def send_one(raw: bytes) -> None:
        nonlocal begun
        if not begun:
            begun = True
            await send(_BEGIN)
        await send({"type": PART, "body": framed(raw), "more_body": True})

    call.send = send_one
    try:
        try:
            if route.method.client_streaming:
                call.raw_requests = messages.all()
            else:
                call.raw_request = await messages.only()
        except BossjyError as error:
            call.status = status_of(error, call.context.request_id)
        else:
            await within_deadline(route.proceed, call)
        if not begun:
            await send(_BEGIN)
        await _end(call, send, call.status)
    finally:
        if call.at_close is not None:
            call.at_close()


async def _end(call: Call, send: Send, status: Status) -> None:
    """The end of the answer: its status in the trailers."""
    await send(_NO_MORE)
    await send({"type": TRAILERS, "headers": trailers_of(status, call.context.request_id)})


def trailers_of(status: Status, request_id: str) -> Headers:
    """The trailers of a status."""
    own = (b"x-request-id", request_id.encode())
    if status.code == "OK":
        return [_OK, own]
    trailers = [(b"grpc-status", _CODES[status.code]), own]
    if status.message:
        trailers.append((b"grpc-message", quote(status.message, safe=_PLAIN).encode()))
    if status.details:
        trailers.append((b"grpc-status-details-bin", b64encode(status.details).rstrip(b"=")))
    return trailers
