"""Operations endpoint: Prometheus text over HTTP at /metrics, and the pages given to it, from threads of its own.

It has no TLS and no credentials, so it listens on loopback unless a setting names another address. Its threads, its
connections and the time of each are bounded: the connection of a client that sends or reads slowly is closed.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bossjy_server.errors import StartError
from bossjy_server.telemetry.text_pages import OperationsPages, Page

_PATH = "/metrics"
# Each connection has a thread and serves one request.
_CONNECTIONS_MOST, _CONNECTION_S = 8, 10.0
_LOOK_S = 0.25  # the period of the search for connections that took too long


def new_registry() -> CollectorRegistry:
    """A registry with the process metrics of Python and the operating system."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class MetricsEndpoint:
    """Serves `registry` and `pages` over HTTP on `host:port` until closed. Raises StartError if the port is taken."""

    def __init__(
        self,
        registry: CollectorRegistry,
        host: str,
        port: int,
        *,
        pages: OperationsPages | None = None,
        connection_s: float = _CONNECTION_S,
    ) -> None:
        try:
            self._server = _Server(registry, host, port, pages or {}, connection_s)
        except OSError as error:
            raise StartError(
                f"cannot serve metrics on {host}:{port} ({error.strerror}): set BOSSJY_METRICS_HOST to an address of "
                "this machine and BOSSJY_METRICS_PORT to a free port, or stop the process that uses the port"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="bossjy-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


class _Server(ThreadingHTTPServer):
    """The listening socket and its bounded connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(
        self, registry: CollectorRegistry, host: str, port: int, pages: OperationsPages, connection_s: float
    ) -> None:
        self.registry, self.pages = registry, pages
        self._connection_s = connection_s
        self._open: dict[socket.socket, float] = {}  # with the time of their end
        self._lock = threading.Lock()
        # `localhost` and IPv6 addresses work as well: the first address of the name decides.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        super().__init__((str(found[0][4][0]), port), _Handler)

    def server_bind(self) -> None:
        """Bind without a look-up of this machine's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it if there are too many."""
        with self._lock:
            admitted = len(self._open) < _CONNECTIONS_MOST
            if admitted:
                self._open[request] = time.monotonic() + self._connection_s
        if admitted:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close the connections that took too long. Called by `serve_forever` between its waits."""
        now = time.monotonic()
        with self._lock:
            late = [request for request, ends in self._open.items() if ends <= now]
        for request in late:
            with contextlib.suppress(OSError):  # its thread has just closed it
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that went away; otherwise the console would show it."""


class _Handler(BaseHTTPRequestHandler):
    """One request, then the end of the connection."""

    server: _Server
    server_version, sys_version = "bossjy", ""
    timeout = _CONNECTION_S  # of each read and write; the server bounds the total

    def do_GET(self) -> None:
        """Answer with the metrics."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with only the headers."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        make = self.server.pages.get(path)
        if path == _PATH:
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._send(HTTPStatus.OK, content_type, encode(self.server.registry), with_body=with_body)
        elif make is not None:
            page: Page = make()
            self._send(page.status, page.content_type, page.body.encode(), with_body=with_body)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, status: int, content_type: str, body: bytes, *, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer with a status and one line, which repeats nothing of the request. An unknown method answers 405."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        phrase = HTTPStatus(code).phrase
        paths = ", ".join((_PATH, *self.server.pages))
        body = f"{phrase}: this port serves GET and HEAD of {paths}\n".encode()
        self.send_response(code, phrase)
        if code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Log nothing: regular scrapes are not worth a line."""
