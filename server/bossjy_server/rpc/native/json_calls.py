"""JSON calls without a gateway: one request through the chain, its answer as JSON, a stream as one object a line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from dataclasses import field as set_to

from bossjy_server.blocking import in_thread
from bossjy_server.errors import BossjyError, InvalidArgument, Reason, ResourceExhausted, Unimplemented
from bossjy_server.rpc.call import Call, Proceed, Route
from bossjy_server.rpc.errors import status_of
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.native.asgi import DISCONNECT, PART, START, Headers, Receive, Scope, Send
from bossjy_server.rpc.native.deadlines import within_deadline
from bossjy_server.rpc.native.json_errors import HTTP, error_text
from bossjy_server.rpc.native.json_streams import Framing, framing_of, only_message
from bossjy_server.rpc.native.json_texts import reply_text, request_of
from bossjy_server.rpc.native.request import call_of
from bossjy_server.rpc.native.rest import Binding, Table
from bossjy_server.rpc.native.upload_slices import METHOD, MOST_BYTES, read_slice, slice_of, too_large, upload
from bossjy_server.rpc.options import ServerOptions
from bossjy_server.rpc.server import Router

_JSON = (b"content-type", b"application/json")
_NOT_FOUND = 404
# Bytes from which a conversion runs in a thread: below, it takes less than some milliseconds.
_LARGE = 32 * 1024


@dataclass(slots=True)
class JsonCall(Call):
    """A call whose `raw_request` is JSON until the chain has admitted it."""

    binding: Binding | None = None
    values: dict[str, str] = set_to(default_factory=dict)  # of the fields in the path
    query: bytes = b""


def json_concern(_method: Method, proceed: Proceed) -> Proceed:
    """Convert the request before validation, so that only admitted callers have theirs converted."""

    async def convert(call: Call) -> None:
        if isinstance(call, JsonCall) and call.binding is not None:
            kind, binding = call.method.request_class, call.binding
            arguments = (kind, call.raw_request, binding.body, call.values, call.query)
            large = len(call.raw_request) > _LARGE
            message = await in_thread(request_of, *arguments) if large else request_of(*arguments)
            call.raw_request = message.SerializeToString()
        await proceed(call)

    return convert


class JsonCalls:
    """Answers JSON requests by the routes of a router."""

    def __init__(self, router: Router, options: ServerOptions) -> None:
        *outer, validation = router.concerns
        self._table = Table(router.routes, [*outer, json_concern, validation])
        self._unknown: Route = router.unknown
        self._upload = router.routes.get(METHOD)
        self._proxies, self._most = router.proxies, options.max_received_bytes

    async def answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        """Answer one request. `headers`: of the answer, in addition to its own."""
        path = scope["raw_path"].decode("latin-1")
        found = self._table.find(scope["method"], path)
        sliced = slice_of(scope["method"], path) if found is None else None
        if sliced is not None and self._upload is not None:
            await self._slice(sliced, scope, receive, send, headers)
            return
        if found is None:
            call = call_of(JsonCall, self._unknown.method, scope, self._proxies)
            await self._unknown.proceed(call)
            await _send(send, _NOT_FOUND, error_text(call.status, connect=False), call, headers)
            return
        binding, values = found
        call = call_of(JsonCall, binding.method, scope, self._proxies)
        call.binding, call.values, call.query = binding, values, scope["query_string"]
        framing = framing_of(call, binding)
        try:
            if binding.method.client_streaming:
                raise _needs_grpc(binding.method)
            if framing.connect:
                call.raw_request = only_message(call, await _body(receive, self._most))
            elif scope["method"] != "GET":
                _check_type(call)
                call.raw_request = await _body(receive, self._most)
        except BossjyError as error:
            call.status = status_of(error, call.context.request_id)
        if binding.method.server_streaming and (framing.connect or call.status.code == "OK"):
            await _stream(send, binding, call, headers, framing)
        elif call.status.code != "OK":
            await _refuse(send, binding, call, headers)
        else:
            await _unary(send, binding, call, headers)

    async def _slice(
        self, sliced: tuple[str, int], scope: Scope, receive: Receive, send: Send, headers: Headers
    ) -> None:
        assert self._upload is not None  # noqa: S101 - `answer` asked
        call, text = call_of(Call, self._upload.method, scope, self._proxies), b""
        try:
            one = read_slice(*sliced, scope["query_string"])
            if call.metadata.get("content-encoding", "identity") != "identity":
                raise InvalidArgument(
                    Reason.MALFORMED_REQUEST,
                    "a compressed body is not supported: send the file as it is",
                )
            length = call.metadata.get("content-length", "")
            if length.isdecimal() and int(length) > MOST_BYTES:
                await _discard(receive)
                raise too_large()
            text = await upload(self._upload, call, one, receive)
        except BossjyError as error:
            call.status = status_of(error, call.context.request_id)
        if call.status.code != "OK":
            text = error_text(call.status, connect=False)
        await _send(send, HTTP[call.status.code], text, call, headers)


async def _unary(send: Send, binding: Binding, call: Call, headers: Headers) -> None:
    await within_deadline(binding.proceed, call)
    if call.status.code != "OK":
        await _refuse(send, binding, call, headers)
        return
    await _send(send, HTTP["OK"], await _text(binding, call.reply), call, headers)


async def _stream(send: Send, binding: Binding, call: Call, headers: Headers, framing: Framing) -> None:
    begun = False

    async def part(text: bytes) -> None:
        nonlocal begun
        if not begun:
            begun = True
            kind = (b"content-type", framing.content_type)
            own = [kind, (b"x-request-id", call.context.request_id.encode()), *headers]
            await send({"type": START, "status": HTTP["OK"], "headers": own})
        await send({"type": PART, "body": text, "more_body": True})

    async def send_one(raw: bytes) -> None:
        if framing.file:
            await part(binding.reply_class.FromString(raw).data)  # type: ignore[attr-defined]
        else:
            await part(framing.message(await _text(binding, raw)))

    call.send = send_one
    try:
        if call.status.code == "OK":
            await within_deadline(binding.proceed, call)
        if not begun and call.status.code != "OK" and not framing.connect:
            await _refuse(send, binding, call, headers)
            return
        # The HTTP status has gone: the end says how the stream ended. Connect's streams always have status 200.
        await part(framing.end(call.status))
        await send({"type": PART, "body": b"", "more_body": False})
    finally:
        if call.at_close is not None:
            call.at_close()


async def _text(binding: Binding, raw: bytes) -> bytes:
    """The JSON of an answer. A large one takes a second, so it does not hold up other calls."""
    message = binding.reply_class.FromString(raw)
    return await in_thread(reply_text, message) if len(raw) > _LARGE else reply_text(message)


async def _refuse(send: Send, binding: Binding, call: Call, headers: Headers) -> None:
    status = call.status
    await _send(send, HTTP[status.code], error_text(status, connect=binding.connect), call, headers)


async def _send(send: Send, status: int, text: bytes, call: Call, headers: Headers) -> None:
    own = [
        _JSON,
        (b"content-length", str(len(text)).encode()),
        (b"x-request-id", call.context.request_id.encode()),
        *headers,
    ]
    await send({"type": START, "status": status, "headers": own})
    await send({"type": PART, "body": text, "more_body": False})


async def _discard(receive: Receive) -> None:
    """Read a body that is refused: a client that is still sending would not read the refusal. h2corn limits it."""
    event = await receive()
    while event["type"] != DISCONNECT and event.get("more_body", False):
        event = await receive()


async def _body(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == DISCONNECT:
            raise asyncio.CancelledError
        part: bytes = event.get("body", b"")
        more = event.get("more_body", False)
        size += len(part)
        if size > most:
            parts.clear()  # the rest is read and dropped: a client that is still sending would not read the refusal
        else:
            parts.append(part)
    if size > most:
        raise ResourceExhausted(
            Reason.MESSAGE_TOO_LARGE,
            f"the body has more than {most} bytes: send less in one request",
            metadata={"limit_bytes": str(most)},
        )
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_type(call: Call) -> None:
    given = call.metadata.get("content-type", "application/json").partition(";")[0].strip().lower()
    # curl's -d names the second one unless a header says otherwise. A browser may send it for a page of any origin.
    if given != "application/json" and (given != "application/x-www-form-urlencoded" or "origin" in call.metadata):
        raise InvalidArgument(
            Reason.MALFORMED_REQUEST, "the body must be JSON: send it with `content-type: application/json`"
        )
    if call.metadata.get("content-encoding", "identity") != "identity":
        raise InvalidArgument(Reason.MALFORMED_REQUEST, "a compressed body is not supported: send it as it is")


def _needs_grpc(method: Method) -> BossjyError:
    return Unimplemented(
        Reason.METHOD_NOT_AVAILABLE,
        f"{method.name} is a stream in both directions: call it over gRPC",
        metadata={"method": method.path[1:].replace("/", ".")},
    )
