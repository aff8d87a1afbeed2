"""ASGI application of the native front end: gRPC and gRPC-Web calls, JSON calls, the OpenAPI document."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from bossjy_server.rpc.native.asgi import PART, START, Headers, Receive, Scope, Send
from bossjy_server.rpc.native.cors import Cors
from bossjy_server.rpc.native.grpc_calls import GrpcCalls
from bossjy_server.rpc.native.grpc_web import as_grpc, web_type
from bossjy_server.rpc.native.json_calls import JsonCalls

_LOG = logging.getLogger(__name__)
_TEXT = b"text/plain; charset=utf-8"


class NativeApp:
    """Answers the requests of one port."""

    def __init__(self, grpc_calls: GrpcCalls, json_calls: JsonCalls, cors: Cors, openapi: bytes = b"") -> None:
        """`openapi`: the document; if empty, neither it nor the page that shows it is served."""
        self._grpc, self._json, self._cors = grpc_calls, json_calls, cors
        self._pages: dict[str, tuple[bytes, bytes, Headers]] = {}
        if openapi:
            page = Path(__file__).with_name("openapi_page.html").read_bytes()
            self._pages["/openapi.json"] = (openapi, b"application/json", [])
            self._pages["/docs"] = (page, b"text/html; charset=utf-8", [(b"content-security-policy", _policy(page))])

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003, "reason": "no WebSocket here: call gRPC or JSON"})
            return
        try:
            if _is_grpc(scope):
                await self._grpc_call(scope, receive, send)
            else:
                await self._other(scope, receive, send)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:  # the chain reports its own; h2corn would print this one to stderr
            _LOG.exception("a request failed outside of its call")
            raise

    async def _grpc_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["http_version"] != "2":
            await _plain(send, 505, b"gRPC needs HTTP/2: call without a proxy that speaks HTTP/1.1, or use JSON")
        elif scope["method"] != "POST":
            await _plain(send, 405, b"a gRPC call is a POST")
        else:
            await self._grpc.answer(scope, receive, send)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await send({"type": START, "status": 204, "headers": self._cors.preflight(scope)})
            await send({"type": PART, "body": b"", "more_body": False})
        elif scope["method"] == "GET" and (page := self._pages.get(scope["path"])):
            text, kind, headers = page
            await _plain(send, 200, text, kind, [*headers, *self._cors.headers(scope)])
        elif kind := web_type(scope):
            receive, send = as_grpc(kind, receive, send, self._cors.headers(scope))
            await self._grpc.answer(scope, receive, send)
        else:
            await self._json.answer(scope, receive, send, self._cors.headers(scope))


def _is_grpc(scope: Scope) -> bool:
    for key, value in scope["headers"]:
        if key == b"content-type":
            return bool(value == b"application/grpc" or value.startswith((b"application/grpc+", b"application/grpc;")))
    return False


def _policy(page: bytes) -> bytes:
    """The page may run its own script and style, and read from this server; nothing else."""
    allowed = []
    for name in (b"script", b"style"):
        text = page[page.index(b"<%s>" % name) + len(name) + 2 : page.index(b"</%s>" % name)]
        allowed.append(b"%s-src 'sha256-%s'" % (name, b64encode(sha256(text).digest())))
    return b"; ".join([b"default-src 'none'", b"connect-src 'self'", *allowed])


async def _plain(send: Send, status: int, text: bytes, kind: bytes = _TEXT, headers: Headers | None = None) -> None:
    own = [(b"content-type", kind), (b"content-length", str(len(text)).encode()), *(headers or [])]
    await send({"type": START, "status": status, "headers": own})
    await send({"type": PART, "body": text, "more_body": False})
