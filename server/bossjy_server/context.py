"""Context of a call: its id, its deadline, its caller. Passed in a context variable, never as a dependency."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

from opentelemetry.trace import Tracer


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller according to its credentials. Created by `auth`, read by every feature."""

    tenant_id: str
    user_id: str
    scopes: frozenset[str]
    role: str
    session_id: str = ""
    api_key_id: str = ""
    expire_time_s: float = float("inf")  # Unix time at which the credentials expire
    due: str = ""  # the duty for which a session has no scopes, see scopes.py


@dataclass(slots=True)
class CallContext:
    """One call, from its first byte to its status."""

    request_id: str
    method: str  # full name: /bossjy.phone.v1.PhoneService/ValidateNumber
    address: str = ""  # of the client, without port; through a trusted proxy, the address that the proxy reports
    user_agent: str = ""
    deadline: float | None = None  # on the monotonic clock, in seconds
    caller: Caller | None = None
    scope: str = ""  # that the method requires, if any; set together with `caller`
    log: dict[str, object] = field(default_factory=dict)  # additional fields for the call's log line; no personal data
    network: str = ""  # the network by which the address counts; see network.py
    trace_id: str = ""  # of a sampled call, in hexadecimal digits
    tracer: Tracer | None = None  # of a sampled call
    spans_left: int = 500  # child spans that the call may still have

    def remaining_s(self, limit: float) -> float:
        """Seconds until the deadline, at most `limit`, at least 0."""
        if self.deadline is None:
            return limit
        return max(0.0, min(limit, self.deadline - time.monotonic()))


_current: ContextVar[CallContext] = ContextVar("bossjy_call")


def enter_call(call: CallContext) -> None:
    """Make `call` the running task's call. Done once for each call, by `rpc`."""
    _current.set(call)


def current_call() -> CallContext:
    """The running task's call. Raises LookupError outside a call."""
    return _current.get()


def call_or_none() -> CallContext | None:
    """The running task's call, or None outside a call."""
    return _current.get(None)


def current_caller() -> Caller:
    """The running task's caller. Raises LookupError if the method is public."""
    caller = _current.get().caller
    if caller is None:
        raise LookupError("this call has no caller: its method is public")
    return caller


def remaining_s(limit: float) -> float:
    """Seconds that the running task may take: until its call's deadline, at most `limit`. Outside a call: `limit`."""
    call = _current.get(None)
    return limit if call is None else call.remaining_s(limit)
