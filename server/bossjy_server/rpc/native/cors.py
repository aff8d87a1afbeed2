"""CORS of the JSON calls: pages of the stated origins may call them. Credentials are never those of a browser."""

from __future__ import annotations

from collections.abc import Sequence

from bossjy_server.rpc.native.asgi import Headers, Scope

_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        (
            b"authorization, content-type, x-request-id, connect-protocol-version, connect-timeout-ms, x-grpc-web, "
            b"x-user-agent, grpc-timeout"
        ),
    ),
    (b"access-control-max-age", b"7200"),
]


class Cors:
    """The headers for the origin of a request."""

    def __init__(self, origins: Sequence[str]) -> None:
        """`origins`: `*` admits all. If empty, no page of another origin may read an answer."""
        self._any = "*" in origins
        self._origins = frozenset(one.encode() for one in origins)

    def headers(self, scope: Scope) -> Headers:
        """The headers of an answer; none for a request without an admitted origin."""
        if not self._origins:
            return []
        origin = next((value for key, value in scope["headers"] if key == b"origin"), b"")
        if not origin or not (self._any or origin in self._origins):
            return [(b"vary", b"origin")]
        return [
            (b"access-control-allow-origin", b"*" if self._any else origin),
            (b"access-control-expose-headers", b"x-request-id, grpc-status, grpc-message"),
            (b"vary", b"origin"),
        ]

    def preflight(self, scope: Scope) -> Headers:
        """The headers of the answer to OPTIONS."""
        own = self.headers(scope)
        return [*own, *_PREFLIGHT] if len(own) > 1 else own
