"""Options of one call: `timeout`, `metadata` and `request_id`, which every method of a client takes as keywords.

`take_options` adds them to all public methods of an object at once. They apply to every call that the method makes.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

from bossjy_client.errors import LATE, CredentialsError, InvalidRequestError, UnavailableError
from bossjy_client.extras import missing_extra

NAMES = ("timeout", "metadata", "request_id")
# gRPC ends the call at its deadline. This is the additional time for it to report that.
_GRACE_S = 0.25
_KEY = re.compile(r"[0-9a-z_.-]+")
# Errors of Python that say nothing to a caller.
_CONFUSING = (TypeError, ValueError, OverflowError, ModuleNotFoundError)
# The classes of `take_options`, one for each part of a client.
_TAKING: dict[type, type] = {}
_VALUE = re.compile(r"[ -~]*")

Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options of one call of a method. `deadline` is a time of the monotonic clock."""

    deadline: float | None = None
    metadata: Metadata = ()


_current: ContextVar[CallOptions | None] = ContextVar("bossjy_call_options", default=None)


def time_left() -> float | None:
    """Seconds until the deadline of the running method; None if it has none."""
    options = _current.get()
    return None if options is None or options.deadline is None else max(0.001, options.deadline - time.monotonic())


def own_metadata() -> Metadata:
    """The metadata of the running method."""
    options = _current.get()
    return () if options is None else options.metadata


def bearer(token: str) -> Metadata:
    """The metadata of a token. Raises CredentialsError for a token that cannot be sent."""
    token = token.strip()
    if not _VALUE.fullmatch(token):
        raise CredentialsError("the token has a character that no token has: copy it again, as one line")
    return (("authorization", f"Bearer {token}"),) if token else ()


def take_options(part: object) -> None:
    """Let the public methods of an object take the options of a call."""
    kind = type(part)
    if kind not in _TAKING:
        _TAKING[kind] = _taking(kind)
    part.__class__ = _TAKING[kind]


def _taking(part: type) -> type:
    """A class whose public methods take the options of a call."""
    methods = {
        name: _with_options(method)
        for name, method in inspect.getmembers(part, inspect.isfunction)
        if not name.startswith("_")
    }
    return type(part.__name__, (part,), methods | {"__doc__": part.__doc__, "__module__": part.__module__})


def _with_options(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method with the options as keywords. A parameter of its own with such a name keeps its meaning."""
    names = frozenset(NAMES) - inspect.signature(method).parameters.keys()
    if inspect.isasyncgenfunction(method):
        return _iterating(method, names)
    return _awaiting(method, names) if inspect.iscoroutinefunction(method) else method


def _iterating(method: Callable[..., Any], names: frozenset[str]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def iterate(*args: Any, **given: Any) -> AsyncIterator[Any]:
        options = _options(given, names)
        items = method(*args, **given)
        try:
            while True:
                try:
                    if options is None:
                        item = await anext(items)
                    else:
                        async with _Applied(options):
                            item = await anext(items)
                except StopAsyncIteration:
                    return
                except _CONFUSING as error:
                    _explain(error, method, args, given)
                    raise
                yield item
        finally:
            await items.aclose()

    return iterate


def _awaiting(method: Callable[..., Any], names: frozenset[str]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def call(*args: Any, **given: Any) -> Any:
        options = _options(given, names)
        try:
            if options is None:
                return await method(*args, **given)
            async with _Applied(options):
                return await method(*args, **given)
        except _CONFUSING as error:
            _explain(error, method, args, given)
            raise

    return call


def _options(given: dict[str, Any], names: frozenset[str]) -> CallOptions | None:
    """Take the options out of the keywords of a call; None if there are none. Raises InvalidRequestError."""
    if not given or names.isdisjoint(given):
        return None
    taken = {name: given.pop(name) for name in names if name in given}
    if not any(taken.values()):
        if taken.get("timeout") == 0:
            raise InvalidRequestError("timeout is 0: give more than 0 seconds, or None")
        return None
    timeout = taken.get("timeout")
    if timeout is not None and (not isinstance(timeout, int | float) or not timeout > 0):
        raise InvalidRequestError(f"timeout is {timeout!r}: give more than 0 seconds, or None")
    metadata = tuple(_checked(taken.get("metadata") or ()))
    if taken.get("request_id"):
        metadata += tuple(_checked([("x-request-id", taken["request_id"])]))
    return CallOptions(None if timeout is None else time.monotonic() + timeout, metadata)


def _checked(metadata: Any) -> Iterator[tuple[str, str | bytes]]:
    for key, value in dict(metadata).items() if hasattr(metadata, "keys") else metadata:
        if not isinstance(key, str) or not _KEY.fullmatch(key) or key.startswith("grpc-"):
            raise InvalidRequestError(f"metadata key {key!r}: use small letters, digits, `-`, `_` and `.`")
        binary = key.endswith("-bin")
        right = isinstance(value, bytes) if binary else isinstance(value, str) and _VALUE.fullmatch(value)
        if not right:
            raise InvalidRequestError(f"metadata {key}: its value must be {'bytes' if binary else 'printable ASCII'}")
        yield key, value


class _Applied:
    """Context of a method's run: its options apply, and its deadline ends it."""

    __slots__ = ("_former", "_options", "_timeout")

    def __init__(self, options: CallOptions) -> None:
        self._options = options
        self._timeout: asyncio.Timeout | None = None

    async def __aenter__(self) -> None:
        self._former = _current.set(self._options)
        if self._options.deadline is not None:
            self._timeout = asyncio.timeout(self._options.deadline - time.monotonic() + _GRACE_S)
            await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._former)
        if self._timeout is not None:
            try:
                await self._timeout.__aexit__(kind, error, trace)
            except TimeoutError:
                raise UnavailableError(LATE, code="DEADLINE_EXCEEDED") from None


def _explain(error: Exception, method: Callable[..., Any], args: Any, given: Any) -> None:
    """Raises the error that a caller understands: a value does not fit the request of a method, an extra is missing."""
    if missing := missing_extra(error):
        raise missing from error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # Errors of callbacks come from elsewhere.
    if trace is not None and trace.tb_frame.f_code is method.__code__:
        values = list(inspect.signature(method).bind(*args, **given).arguments.items())[1:]
        types = ", ".join(f"{name} is {type(value).__name__}" for name, value in values)
        raise InvalidRequestError(f"{method.__name__}: a value has a wrong type: {types}") from error


@contextmanager
def no_options() -> Iterator[None]:
    """Calls of this package itself, such as the renewal of a token: the options of the caller do not apply."""
    former = _current.set(None)
    try:
        yield
    finally:
        _current.reset(former)
