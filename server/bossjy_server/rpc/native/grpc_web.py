"""gRPC-Web: gRPC calls of browsers, over HTTP/1.1 as well. The trailers are the last frame of the body.

`application/grpc-web` has binary bodies, `application/grpc-web-text` the same in base64. A browser cannot send a
stream, so only unary calls and streams of answers are usual.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable

from bossjy_server.rpc.native.asgi import DISCONNECT, PART, START, TRAILERS, Event, Headers, Receive, Scope, Send

_TYPES = (b"application/grpc-web", b"application/grpc-web+proto")
_TEXT_TYPES = (b"application/grpc-web-text", b"application/grpc-web-text+proto")
_TRAILER_FRAME = b"\x80"


def web_type(scope: Scope) -> bytes:
    """The content type of a gRPC-Web request; empty for another request."""
    for key, value in scope["headers"]:
        if key == b"content-type":
            kind: bytes = value.partition(b";")[0].strip().lower()
            return kind if kind in _TYPES or kind in _TEXT_TYPES else b""
    return b""


def as_grpc(kind: bytes, receive: Receive, send: Send, headers: Headers) -> tuple[Receive, Send]:
    """The two ends of a request as those of a gRPC call. `headers`: of the answer, in addition to its own."""
    text = kind in _TEXT_TYPES
    return (_decoded(receive) if text else receive), _web_send(kind, send, headers, b64encode if text else bytes)


def _web_send(kind: bytes, send: Send, headers: Headers, encoded: Callable[[bytes], bytes]) -> Send:
    async def send_web(event: Event) -> None:
        if event["type"] == START:
            await send({"type": START, "status": 200, "headers": [(b"content-type", kind), *headers]})
        elif event["type"] == TRAILERS:
            lines = b"".join(b"%s: %s\r\n" % pair for pair in event["headers"])
            frame = _TRAILER_FRAME + len(lines).to_bytes(4, "big") + lines
            await send({"type": PART, "body": encoded(frame), "more_body": False})
        elif event["body"]:
            await send({"type": PART, "body": encoded(event["body"]), "more_body": True})

    return send_web


def _decoded(receive: Receive) -> Receive:
    """The body without base64. Bytes that are not base64 end the body, so the call has a truncated message."""
    rest = b""

    async def receive_web() -> Event:
        nonlocal rest
        event = await receive()
        if event["type"] == DISCONNECT:
            return event
        rest += event.get("body", b"")
        more = event.get("more_body", False)
        whole = len(rest) - len(rest) % 4
        try:
            # A client may encode each frame by itself, so padding can be anywhere.
            body = b"".join(b64decode(part, validate=True) for part in _padded(rest[:whole]))
        except Base64Error:
            return {**event, "body": b"", "more_body": False}
        rest = rest[whole:]
        return {**event, "body": body, "more_body": more}

    return receive_web


def _padded(text: bytes) -> list[bytes]:
    """The pieces of base64 that end with padding, and the rest."""
    pieces, start = [], 0
    while (sign := text.find(b"=", start)) >= 0:
        end = sign + 4 - sign % 4
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]
