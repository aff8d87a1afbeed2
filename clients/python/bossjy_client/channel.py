"""Channel of a client: one of gRPC for each event loop that uses it, as a channel of grpc.aio belongs to its loop.

A client that is kept over two runs of `asyncio.run`, or used by the loops of several threads, so works in each.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import grpc.aio

from bossjy_client.config import ClientConfig
from bossjy_client.errors import BossjyError


class LoopChannel:
    """Has the methods of `grpc.aio.Channel` that stubs use, and opens a real one when a loop calls the first time."""

    def __init__(self, open_channel: Callable[[], grpc.aio.Channel]) -> None:
        self._open = open_channel
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, grpc.aio.Channel] = WeakKeyDictionary()
        self._process = os.getpid()
        self._closed = False

    def current(self) -> grpc.aio.Channel:
        """The channel of the running loop. Raises BossjyError if the client is closed, or of another process."""
        loop = asyncio.get_running_loop()
        channel = self._by_loop.get(loop)
        if channel is None or self._closed or self._process != os.getpid():
            self._check()
            for former in [one for one in self._by_loop if one.is_closed()]:
                del self._by_loop[former]
            channel = self._by_loop[loop] = self._open()
        return channel

    def _check(self) -> None:
        if self._closed:
            raise BossjyError("the client is closed: connect a new one")
        if self._process != os.getpid():
            raise BossjyError(
                "the client was connected before this process was forked: connect after the fork, in each process "
                "(Celery: at the signal worker_process_init)"
            )

    async def prepare(self, limit_s: float) -> None:
        """Do what must precede the first call, at most `limit_s` seconds. Raises UnavailableError."""

    async def close(self) -> None:
        """Close the channels. Running calls are cancelled."""
        if self._closed:
            return
        self._closed = True
        own = self._by_loop.pop(asyncio.get_running_loop(), None)
        self._by_loop.clear()
        if own is not None and self._process == os.getpid():
            await own.close(None)

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._method("unary_unary", args, options)

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._method("unary_stream", args, options)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._method("stream_unary", args, options)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._method("stream_stream", args, options)

    def _method(self, kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> LoopMethod:
        return LoopMethod(self, kind, args, options)


class LoopMethod:
    """A method of a service, on the channel of the loop that calls it."""

    def __init__(self, channel: LoopChannel, kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._channel = channel
        self._make = kind, args, options
        self._made: tuple[grpc.aio.Channel | None, Any] = None, None

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Start a call."""
        return self.on(self._channel.current())(*args, **options)

    def on(self, channel: grpc.aio.Channel) -> Any:
        """The method on a real channel."""
        made, method = self._made
        if made is not channel:
            kind, make_args, make_options = self._make
            method = getattr(channel, kind)(*make_args, **make_options)
            self._made = channel, method
        return method


_opened = _forked = False


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 - state of the process
    _forked = _forked or _opened


# gRPC's threads do not exist in a forked process, which would crash with its first call.
os.register_at_fork(after_in_child=_note_fork)


def credentials_of(config: ClientConfig) -> grpc.ChannelCredentials:
    """The credentials of a connection with TLS."""
    chain, key = config.certificate or (None, None)
    return grpc.ssl_channel_credentials(config.root_certificates, key, chain)


def open_channel(
    target: str, config: ClientConfig, credentials: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """A channel of the running loop. `credentials`: those of the settings, made before.

    Raises BossjyError in a fork of a process that had opened one.
    """
    global _opened  # noqa: PLW0603 - state of the process
    if _forked:
        raise BossjyError(
            "this process was forked from one that had connected a client, and gRPC does not survive that: connect "
            "only after the fork, or start processes with the method `spawn`"
        )
    _opened = True
    options: dict[str, Any] = {
        "grpc.max_receive_message_length": config.max_message_bytes,
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": int(config.max_backoff_s * 1000),
        "grpc.keepalive_time_ms": int(config.keepalive_s * 1000),
        "grpc.keepalive_timeout_ms": 20_000,
        "grpc.primary_user_agent": config.user_agent,
    }
    if config.load_balancing:
        options["grpc.service_config"] = json.dumps({"loadBalancingConfig": [{config.load_balancing: {}}]})
    held = list((options | dict(config.channel_options)).items())
    interceptors = list(config.interceptors) or None
    if config.speaks_plaintext(target):
        return grpc.aio.insecure_channel(target, options=held, interceptors=interceptors)
    credentials = credentials or credentials_of(config)
    return grpc.aio.secure_channel(target, credentials, options=held, interceptors=interceptors)
