"""h2corn under the native front end: the sockets, TLS, the limits of HTTP/2, the drain. Imported only if selected."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bossjy_server.errors import StartError
from bossjy_server.rpc.native.asgi_app import NativeApp
from bossjy_server.rpc.native.cors import Cors
from bossjy_server.rpc.native.grpc_calls import GrpcCalls
from bossjy_server.rpc.native.json_calls import JsonCalls
from bossjy_server.rpc.options import ServerOptions, StreamOptions
from bossjy_server.rpc.server import Router
from bossjy_server.rpc.tls import Certificates
from bossjy_server.tasks import end_tasks

try:
    import h2corn
except ModuleNotFoundError as error:
    raise StartError(
        "BOSSJY_FRONT=native needs the package h2corn: install requirements/native.txt, or set BOSSJY_FRONT=aio"
    ) from error

_LOG = logging.getLogger(__name__)
_BACKLOG = 1024
# The hard limit of the decoded header list: beyond it, h2corn answers 431 before the application sees the request.
_HEADER_TIMES = 4
# Bytes that a client may send before the service reads them: of one stream, and of all streams of a connection.
_STREAM_WINDOW, _CONNECTION_WINDOW = 1024 * 1024, 8 * 1024 * 1024
# An answer that its client leaves unread is cut off this much later than the watchdog of streams would end it.
_STALL_S = 10.0
# The interval at which certificates and ages are looked at, and the former servers whose calls may still run.
_LOOK_S, _ENDING_MAX = 1.0, 8
# The pause after a renewal that failed.
_RETRY_S = 30.0


class _Generation:
    """One server of h2corn. It accepts connections until `end`."""

    def __init__(self, server: h2corn.Server, serving: asyncio.Task[None]) -> None:
        self._server, self._serving = server, serving

    @classmethod
    async def start(cls, app: NativeApp, config: h2corn.Config) -> _Generation:
        """Accept connections. Raises OSError, ValueError, RuntimeError if that is not possible."""
        server = h2corn.Server(app.answer, config)
        serving = asyncio.create_task(server.serve())
        try:
            await server.wait_started()
        except (OSError, ValueError, RuntimeError):
            await asyncio.wait({serving})
            raise
        return cls(server, serving)

    async def end(self) -> None:
        """Give notice to clients, wait for running calls, cancel those that outlast the configured time."""
        self._server.shutdown()
        try:
            await self._serving
        except RuntimeError as error:  # a handler has ignored its cancellation for as long again
            _LOG.warning("the native front end ended before its calls: %s", error)


class NativeServer:
    """A running native front end.

    h2corn reads certificates once and does not limit the age of a connection. So a renewal starts another server on
    the same sockets, and the former one sends GOAWAY and ends after its calls.
    """

    def __init__(
        self, app: NativeApp, config: Callable[[], h2corn.Config], sockets: list[socket.socket], current: _Generation
    ) -> None:
        self._app, self._config, self._sockets, self.current = app, config, sockets, current
        self._ending: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.Task[None] | None = None

    def keep_renewing(self, certificates: Certificates | None, age_s: float) -> None:
        """Renew after a change of the certificates' files, and `age_s` after the last renewal; 0: at no age."""
        if certificates is not None or age_s:
            self._renewing = asyncio.create_task(self._keep_renewing(certificates, age_s))

    async def _keep_renewing(self, certificates: Certificates | None, age_s: float) -> None:
        loop = asyncio.get_running_loop()
        due, wanted = loop.time() + age_s, False
        while True:
            await asyncio.sleep(_LOOK_S)
            aged = bool(age_s) and loop.time() >= due
            # `changed` reports a change once, so a renewal that fails must remember it.
            wanted = (certificates is not None and certificates.changed() is not None) or aged or wanted
            if wanted:
                wanted = not await self._renew()
                due = loop.time() + age_s
                await asyncio.sleep(_RETRY_S if wanted else 0)

    async def _renew(self) -> bool:
        """True if new connections have a new server."""
        if len(self._ending) >= _ENDING_MAX:
            _LOG.warning("connections are not renewed: the calls of %d former servers still run", len(self._ending))
            return False
        try:
            renewed = await _Generation.start(self._app, self._config())
        except (OSError, ValueError, RuntimeError) as error:
            _LOG.warning("connections are not renewed: %s", error)
            return False
        former, self.current = self.current, renewed
        ending = asyncio.create_task(former.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return True

    async def stop(self, _grace: float | None) -> None:
        """Give notice to clients, wait for running calls, cancel the rest; the wait is the server's own `drain_s`."""
        try:
            await end_tasks([self._renewing] if self._renewing else [])
            await asyncio.gather(self.current.end(), *self._ending)
        finally:
            for one in self._sockets:
                one.close()


async def start_native(
    router: Router,
    options: ServerOptions,
    streams: StreamOptions,
    drain_s: float,
    certificates: Certificates | None = None,
) -> NativeServer:
    """Listen on the address of `options`. Raises StartError with one line if it is not available.

    `certificates`: the watch of the files that `options` names; None without TLS.
    """
    sockets = _listen(options)
    app = NativeApp(
        GrpcCalls(router, options),
        JsonCalls(router, options),
        Cors(options.cors_origins),
        _openapi() if options.openapi else b"",
    )
    config = partial(_config, options, streams, sockets, drain_s)
    try:
        first = await _Generation.start(app, config())
    except (OSError, ValueError, RuntimeError) as error:
        for one in sockets:
            one.close()
        raise StartError(
            f"the native front end cannot start: {error}; set BOSSJY_FRONT=aio for the usual one"
        ) from error
    server = NativeServer(app, config, sockets, first)
    server.keep_renewing(certificates, options.max_connection_age_s)
    return server


def _config(
    options: ServerOptions, streams: StreamOptions, sockets: list[socket.socket], drain_s: float
) -> h2corn.Config:
    return h2corn.Config(
        bind=tuple(f"fd://{one.fileno()}" for one in sockets),
        grpc=True,
        lifespan="off",
        access_log=False,
        log_format="json",
        date_header=False,
        runtime_threads=1,
        max_concurrent_streams=options.max_streams_per_connection,
        limit_request_fields=0,
        h2_max_header_list_size=_HEADER_TIMES * options.max_metadata_bytes,
        h2_max_header_block_size=_HEADER_TIMES * options.max_metadata_bytes,
        limit_request_head_size=options.max_metadata_bytes,
        max_request_body_size=2 * options.max_received_bytes,
        h2_initial_stream_window_size=_STREAM_WINDOW,
        h2_initial_connection_window_size=_CONNECTION_WINDOW,
        h2_timeout_response_stall=streams.unsent_s + _STALL_S if streams.unsent_s else 0.0,
        timeout_graceful_shutdown=drain_s,
        certfile=Path(options.tls_certificate) if options.tls_certificate else None,
        keyfile=Path(options.tls_key) if options.tls_key else None,
        ca_certs=Path(options.tls_client_ca) if options.tls_client_ca else None,
        cert_reqs="required" if options.tls_client_ca else "none",
    )


def _openapi() -> bytes:
    """The document of the JSON paths: in the package, or in the checkout."""
    package = Path(__file__).resolve().parents[2]
    for path in (package / "openapi.json", package.parents[1] / "docs" / "openapi.json"):
        if path.exists():
            return path.read_bytes()
    raise StartError("openapi.json is missing in this installation: set BOSSJY_OPENAPI=off")


def _listen(options: ServerOptions) -> list[socket.socket]:
    """One socket for each address of the host."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            sockets.append(
                socket.create_server(
                    address[:2],
                    family=family,
                    backlog=_BACKLOG,
                    reuse_port=options.reuse_port,
                    dualstack_ipv6=options.host == "::" and socket.has_dualstack_ipv6(),
                )
            )
    except OSError as error:
        for one in sockets:
            one.close()
        raise StartError(
            f"cannot listen on {options.address} ({error.strerror}): another process uses the port, or the host has no "
            "such address; set BOSSJY_PORT or BOSSJY_HOST"
        ) from error
    return sockets
