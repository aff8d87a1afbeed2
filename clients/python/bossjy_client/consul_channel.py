"""Channels to the healthy instances of a service in Consul, one for each, used in turn.

A call uses a connected instance of those that are known when it starts. Instances that remain keep their connection
when others come or go; the channel of one that went closes after its last call. One channel with all addresses would
do the same work, but gRPC shares no connection between channels to different lists of addresses, so that each change
of an instance would connect every client to every server again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import weakref
from typing import Any

import grpc
import grpc.aio

from bossjy_client.channel import LoopChannel, LoopMethod, credentials_of, open_channel
from bossjy_client.config import ClientConfig
from bossjy_client.consul import AgentFailed, Place, Watch, consul_target
from bossjy_client.errors import UnavailableError

_READY = grpc.ChannelConnectivity.READY
_FAILED = grpc.ChannelConnectivity.TRANSIENT_FAILURE


class ConsulChannel(LoopChannel):
    """A LoopChannel whose addresses come from Consul."""

    def __init__(self, target: str, config: ClientConfig) -> None:
        super().__init__(self._next)
        self._target = consul_target(target)
        # A proxy of the environment is for other networks. The service config is for one channel with all addresses.
        options: tuple[tuple[str, Any], ...] = (("grpc.enable_http_proxy", 0),)
        if self._target.server_name:
            options += (("grpc.default_authority", self._target.server_name),)
        self._config = dataclasses.replace(
            config, load_balancing="", channel_options=(*options, *config.channel_options)
        )
        self._credentials = credentials_of(config)
        self._watch: Watch | None = None
        self._sets: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Instances] = weakref.WeakKeyDictionary()

    async def prepare(self, limit_s: float) -> None:
        """Wait for the first addresses. Raises UnavailableError with the cause."""
        if self._watch is None:
            self._watch = Watch(self._target, self._config.consul_token)
            weakref.finalize(self, self._watch.close).atexit = False
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.shield(asyncio.wrap_future(self._watch.first))
        except (TimeoutError, AgentFailed):
            text = f"no address of {self._target.text} from the agent of Consul: {self._watch.failure}"
            raise UnavailableError(text, code="UNAVAILABLE") from None

    def current(self) -> grpc.aio.Channel:
        """The channel of the next instance for a call in the running loop."""
        return self.instance().channel

    def instance(self) -> Instance:
        """The next instance, with its channel of the running loop."""
        self._check()
        loop = asyncio.get_running_loop()
        instances = self._sets.get(loop)
        if instances is None:
            instances = self._sets[loop] = _Instances(self._open_to)
        return instances.next(self._watch.places if self._watch is not None else ())

    async def close(self) -> None:
        """Close the channels, and end the watch. Running calls are cancelled."""
        if self._watch is not None:
            self._watch.close()
        own = self._sets.pop(asyncio.get_running_loop(), None)
        self._sets.clear()
        await super().close()
        if own is not None:
            await own.close()

    def _method(self, kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> LoopMethod:
        return _InstanceMethod(self, kind, args, options)

    def _next(self) -> grpc.aio.Channel:
        return self.instance().channel

    def _open_to(self, place: Place) -> grpc.aio.Channel:
        host, port = place
        return open_channel(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", self._config, self._credentials)


class Instance:
    """One server: its channel, and the number of its running calls."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.methods: dict[LoopMethod, Any] = {}
        self.calls = 0
        self.gone = False
        self.closing: asyncio.Task[None] | None = None

    def started(self, call: Any) -> None:
        """Count a call; the channel remains open until it has ended."""
        self.calls += 1
        call.add_done_callback(self._ended)

    def _ended(self, _: object) -> None:
        self.calls -= 1
        self.close_if_over()

    def close_if_over(self) -> None:
        """Close the channel if the instance has gone and the last call has ended."""
        if self.gone and not self.calls and self.closing is None:
            self.methods.clear()
            self.closing = asyncio.get_running_loop().create_task(self.channel.close(None))


class _Instances:
    """The instances for one event loop. Only that loop uses it."""

    def __init__(self, open_to: Any) -> None:
        self._open_to = open_to
        self._places: tuple[Place, ...] = ()
        self._by_place: dict[Place, Instance] = {}
        self._turns: list[Instance] = []
        self._gone: list[Instance] = []
        self._turn = 0

    def next(self, places: tuple[Place, ...]) -> Instance:
        """The next instance that is connected; if none is, the next one that has not just failed."""
        if places is not self._places:
            self._follow(places)
        turns, start = self._turns, self._turn
        possible: Instance | None = None
        for step in range(1, len(turns) + 1):
            turn = (start + step) % len(turns)
            one = turns[turn]
            state = one.channel.get_state(try_to_connect=True)
            if state is _READY:
                self._turn = turn
                return one
            if possible is None and state is not _FAILED:
                possible = one
        self._turn = start + 1
        return possible or turns[self._turn % len(turns)]

    def _follow(self, places: tuple[Place, ...]) -> None:
        self._places = places
        self._gone = [one for one in self._gone if one.closing is None or not one.closing.done()]
        for place in self._by_place.keys() - set(places):
            gone = self._by_place.pop(place)
            gone.gone = True
            gone.close_if_over()
            self._gone.append(gone)
        for place in places:
            if place not in self._by_place:
                self._by_place[place] = Instance(self._open_to(place))
        self._turns = [self._by_place[place] for place in places]

    async def close(self) -> None:
        for one in (*self._turns, *self._gone):
            await one.channel.close(None)


class _InstanceMethod(LoopMethod):
    """A method that each call runs on the next instance."""

    def __init__(self, channel: ConsulChannel, kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        super().__init__(channel, kind, args, options)
        self._instances = channel

    def __call__(self, *args: Any, **options: Any) -> Any:
        instance = self._instances.instance()
        method = instance.methods.get(self)
        if method is None:
            method = instance.methods[self] = self.on(instance.channel)
        call = method(*args, **options)
        instance.started(call)
        return call
