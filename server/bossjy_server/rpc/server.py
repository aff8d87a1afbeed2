"""gRPC server: connects grpc.aio and the chain. No other file uses the server API of grpc. See also `native`."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.empty_pb2 import Empty

from bossjy_server.context import CallContext
from bossjy_server.errors import Reason, StartError, Unimplemented
from bossjy_server.network import TrustedProxies, origin_of_peer
from bossjy_server.rpc.call import Call, Concern, Proceed, Route, compose
from bossjy_server.rpc.method import Access, Method, methods_of
from bossjy_server.rpc.options import ServerOptions
from bossjy_server.rpc.request_context import new_request_id, request_id_for
from bossjy_server.rpc.tls import peer_names

# The metadata of a call. grpc creates it anew for each access, which costs 3 us: the first one is cached. Entries whose
# keys end in -bin are bytes; none of them is read here.
_metadata: ContextVar[Sequence[tuple[str, str]]] = ContextVar("bossjy_metadata")
_CODES = {code.name: code for code in grpc.StatusCode}
_NONE: frozenset[str] = frozenset()
# Each proxy appends to it the address that called it. An address in another entry (`x-real-ip`, `forwarded`,
# `x-envoy-external-address`) may be forged by the client if its proxy does not remove it.
_FORWARDED = "x-forwarded-for"


class Router(grpc.GenericRpcHandler):
    """Finds the handler of a method; each is built once. Unknown methods pass through the chain as well."""

    def __init__(self, concerns: Sequence[Concern], proxies: TrustedProxies | None = None) -> None:
        """Addresses of `proxies` may name the client of a call. If None, the peer of the connection is the client."""
        self._concerns = list(concerns)
        self._proxies = proxies or None
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self.routes: dict[str, Route] = {}  # of the same methods, for a front end other than grpc.aio
        self._unknown = self._handler(_UNKNOWN, _unknown_method)

    def add_service(self, descriptor: ServiceDescriptor, servicer: object, *, served_as: str = "") -> None:
        """Serve a service. Methods that `servicer` lacks answer UNIMPLEMENTED with METHOD_NOT_AVAILABLE.

        Raises StartError if a method states no access rule.
        """
        splits = getattr(servicer, "splits", {})
        for stated in methods_of(descriptor, served_as):
            method = replace(stated, split=splits.get(stated.name))
            self._handlers[method.path] = self._handler(method, _innermost(method, servicer))

    @property
    def services(self) -> list[str]:
        """Full names of the served services, sorted."""
        return sorted({path.split("/")[1] for path in self._handlers})

    @property
    def unknown(self) -> Route:
        """The route of all unknown methods."""
        return self.routes[_UNKNOWN.path]

    @property
    def concerns(self) -> Sequence[Concern]:
        """The chain from which the routes are composed."""
        return self._concerns

    @property
    def proxies(self) -> TrustedProxies | None:
        """The proxies that may name the client of a call."""
        return self._proxies

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Called by grpc for each call, in the task that then runs the handler."""
        _metadata.set(cast("Sequence[tuple[str, str]]", handler_call_details.invocation_metadata))
        return self._handlers.get(handler_call_details.method, self._unknown)

    def _handler(self, method: Method, innermost: Proceed) -> grpc.RpcMethodHandler[Any, Any]:
        proceed = compose(method, self._concerns, innermost)
        self.routes[method.path] = Route(method, proceed, innermost)
        proxies = self._proxies

        async def unary(raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            call = _call(method, context, raw, None, proxies)
            await proceed(call)
            if not _succeeded(call, context):
                await _abort(call, context)
            return call.reply

        async def server_stream(raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
            await _run_stream(proceed, _call(method, context, raw, None, proxies), context)

        async def both_stream(raws: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
            await _run_stream(proceed, _call(method, context, b"", raws, proxies), context)

        if method.client_streaming:
            if not method.server_streaming:
                raise StartError(f"{method.path}: client streams without a response stream are not supported")
            return grpc.stream_stream_rpc_method_handler(both_stream)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(server_stream)
        return grpc.unary_unary_rpc_method_handler(unary)


def _call(
    method: Method,
    context: grpc.aio.ServicerContext[bytes, bytes],
    raw: bytes,
    raws: AsyncIterator[bytes] | None,
    proxies: TrustedProxies | None,
) -> Call:
    started = time.monotonic()
    entries = _metadata.get()
    # A dictionary from other than plain tuples would copy each entry first.
    metadata = {entry[0]: entry[1] for entry in entries}
    repeated = _repeated(entries) if len(metadata) != len(entries) else _NONE
    remaining: float | None = context.time_remaining()  # the stubs omit None
    offered = metadata.get("x-request-id")
    peer = context.peer()
    origin = origin_of_peer(peer)
    if proxies is not None and _FORWARDED in metadata and proxies.trusts(origin.address):
        origin = proxies.client(origin, [value for key, value in entries if key == _FORWARDED])
    known = CallContext(
        request_id_for(offered) if offered else new_request_id(),
        method.path,
        origin.address,
        metadata.get("user-agent", ""),
        None if remaining is None else started + remaining,
        network=origin.network,
    )
    return Call(
        method,
        known,
        metadata,
        repeated,
        raw,
        raws,
        context.write,
        started,
        peer=peer,
        peer_names=lambda: peer_names(context.auth_context()),
    )


async def _run_stream(proceed: Proceed, call: Call, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
    call.send = _sender(context)
    try:
        await proceed(call)
        if not _succeeded(call, context):
            # Ends when the client has received the status, which follows the messages that it has not read.
            await _abort(call, context)
    finally:
        if call.at_close is not None:
            call.at_close()


def _sender(context: grpc.aio.ServicerContext[bytes, bytes]) -> Callable[[bytes], Awaitable[None]]:
    """Writes the messages of a stream, the header before the first.

    grpc would send both in one operation. If that is cancelled while it waits for the client, grpc considers the header
    unsent, and no status can follow.
    """
    begun = False

    async def send(raw: bytes) -> None:
        nonlocal begun
        if not begun:
            begun = True
            await context.send_initial_metadata(())
        await context.write(raw)

    return send


def _repeated(entries: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The keys that occur more than once."""
    return frozenset(key for key, times in Counter(key for key, _ in entries).items() if times > 1)


def _succeeded(call: Call, context: grpc.aio.ServicerContext[bytes, bytes]) -> bool:
    """True if the status is OK; then the request id is sent after the answer."""
    if call.status.code != "OK":
        return False
    context.set_trailing_metadata((("x-request-id", call.context.request_id),))
    return True


async def _abort(call: Call, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
    """End the handler with a status that is not OK."""
    trailing: tuple[tuple[str, str | bytes], ...] = (("x-request-id", call.context.request_id),)
    if call.status.details:
        trailing = (*trailing, ("grpc-status-details-bin", call.status.details))
    await context.abort(_CODES[call.status.code], call.status.message, trailing)


def _innermost(method: Method, servicer: object) -> Proceed:
    """The end of the chain: the servicer's own method."""
    function = getattr(servicer, method.name, None)
    if function is None:

        async def not_available(_call: Call) -> None:
            raise Unimplemented(
                Reason.METHOD_NOT_AVAILABLE,
                f"{method.name} is not served by this release",
                metadata={"method": method.path[1:].replace("/", ".")},
            )

        return not_available

    if not method.server_streaming:

        async def answer(call: Call) -> None:
            reply = await function(call.request)
            call.reply = reply if isinstance(reply, bytes) else reply.SerializeToString()

        return answer

    async def answer_all(call: Call) -> None:
        replies = function(call.requests if method.client_streaming else call.request)
        try:
            async for reply in replies:
                await call.send(reply if isinstance(reply, bytes) else reply.SerializeToString())
                call.sent += 1
        finally:
            # A cancelled stream must run its `finally` now, not at the next garbage collection.
            await replies.aclose()

    return answer_all


# All unknown paths share one name in metrics and logs: names from outside are unbounded.
_UNKNOWN = Method("/unknown/unknown", "unknown", "unknown", Empty, False, False, Access(public=True), known=False)


async def _unknown_method(_call: Call) -> None:
    raise Unimplemented(Reason.UNKNOWN_METHOD, "this server has no such method: check service and method name")


async def start_server(
    router: Router, address: str, options: ServerOptions, credentials: grpc.ServerCredentials | None = None
) -> grpc.aio.Server:
    """Listen on `address` (`host:port`). Raises StartError with one line if the port is not available."""
    if not options.reuse_port:
        _check_free(address)
    server = grpc.aio.server(options=_channel_arguments(options))
    server.add_generic_rpc_handlers((router,))
    try:
        if credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise _taken(address) from error
    await server.start()
    return server


def _check_free(address: str) -> None:
    """Try the port before grpc does: grpc prints its own lines about a port that is in use."""
    if address.startswith("unix:"):
        return
    host, _, port = address.rpartition(":")
    try:
        with socket.create_server(
            (host.strip("[]"), int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ):
            pass
    except OSError as error:
        raise _taken(address) from error


def _taken(address: str) -> StartError:
    return StartError(
        f"cannot listen on {address}: another process uses the port; stop it, or set BOSSJY_PORT to a free one"
    )


def _channel_arguments(options: ServerOptions) -> list[tuple[str, int]]:
    """The options with grpc's names."""
    arguments = [
        ("grpc.max_receive_message_length", options.max_received_bytes),
        ("grpc.max_send_message_length", options.max_sent_bytes),
        ("grpc.max_metadata_size", options.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", options.max_metadata_bytes),
        ("grpc.max_concurrent_streams", options.max_streams_per_connection),
        # Beyond these, grpc drops calls that no handler has seen yet at random, as CANCELLED without a message. Calls
        # that are opened and cancelled immediately count as well: with grpc's 1,000 and 3,000, some ten thousand of
        # them cost other callers theirs. `limits` decides about overload.
        ("grpc.server.max_pending_requests", 20_000),
        ("grpc.server.max_pending_requests_hard_limit", 30_000),
        ("grpc.http2.min_ping_interval_without_data_ms", int(options.min_ping_interval_s * 1000)),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", int(options.min_ping_interval_s * 1000)),
        ("grpc.http2.max_ping_strikes", 2),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", int(options.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.so_reuseport", int(options.reuse_port)),
    ]
    if options.max_connection_age_s:
        arguments.append(("grpc.max_connection_age_ms", int(options.max_connection_age_s * 1000)))
        arguments.append(("grpc.max_connection_age_grace_ms", 30_000))
    return arguments
