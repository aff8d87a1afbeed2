"""Call log: one line per call with method, caller, address, status and duration.

Refused calls, and public ones that no auth event names, have a limited number of lines a minute for each client
network; the others are summarised (`refusals.py`). A refused call's line has at most 300 bytes.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache

from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.refusals import Refusals
from bossjy_server.telemetry.logging import DEBUG, INFO, WARNING, Log

# Probes come every second; successful ones are not worth a line.
_QUIET_SERVICES = frozenset({"grpc.health.v1.Health"})
_FAULTS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"})
_NUMBER = re.compile(r"\d(?:-?\d){6,}")
# Time, level and event take 75 bytes at most, and each field six for its marks.
_REFUSED_BYTES, _FIXED_BYTES, _FIELD_BYTES = 300, 75, 6
# The fields that a refused call's line loses first.
_FIRST_TO_GO = ("trace_id", "ms", "auth_event", "actor", "tenant_id", "address")


def logging_concern(log: Log, refusals: Refusals | None = None) -> Concern:
    """Log calls. Requests and responses are never logged: they contain personal data."""
    refusals = refusals or Refusals(log)

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        ok_level = DEBUG if method.service in _QUIET_SERVICES else INFO

        async def logging(call: Call) -> None:
            try:
                await proceed(call)
            finally:
                status, context = call.status, call.context
                refused = status.code != "OK"
                level = ok_level if not refused else WARNING if status.code in _FAULTS else INFO
                caller = context.caller
                bounded = refused or (caller is None and "auth_event" not in context.log)
                if log.enabled(level) and (
                    not bounded or refusals.has_line(context.network, level, status.reason or status.code)
                ):
                    fields: dict[str, object] = {
                        "method": method.path,
                        "code": status.code,
                        "ms": int((time.monotonic() - call.started) * 1e6) / 1000,
                        "request_id": context.request_id,
                        "address": context.network,
                    }
                    if status.reason:
                        fields["reason"] = status.reason
                    if caller is not None:
                        fields["tenant_id"] = shown_tenant(caller.tenant_id)
                        fields["actor"] = caller.api_key_id or caller.user_id
                    if context.log:
                        fields.update(context.log)
                    log.write(level, "call", fitting(fields) if refused else fields)

        return logging

    return wrap


@lru_cache(maxsize=4096)
def shown_tenant(tenant_id: str) -> str:
    """A tenant's id for the log. It derives from the tenant's name; earlier releases kept a phone number in it."""
    return _NUMBER.sub("[digits]", tenant_id)


def fitting(fields: dict[str, object]) -> dict[str, object]:
    """The fields of a refused call that fit into its line."""
    surplus = sum(len(name) + len(str(value)) + _FIELD_BYTES for name, value in fields.items())
    surplus += _FIXED_BYTES - _REFUSED_BYTES
    for name in _FIRST_TO_GO:
        if surplus <= 0:
            break
        if name in fields:
            surplus -= len(name) + len(str(fields.pop(name))) + _FIELD_BYTES
    return fields
