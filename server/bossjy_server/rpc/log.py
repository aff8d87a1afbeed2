"""One log line for each call: what, who, from where, how it ended, how long it took."""

from __future__ import annotations

import time

from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.telemetry.logging import DEBUG, INFO, WARNING, Log

# Probes come every second and say nothing when they succeed.
_QUIET_SERVICES = frozenset({"grpc.health.v1.Health"})
_FAULTS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"})


def logging_concern(log: Log) -> Concern:
    """Log calls. Requests and responses are never logged: they hold personal data."""

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        ok_level = DEBUG if method.service in _QUIET_SERVICES else INFO

        async def logging(call: Call) -> None:
            try:
                await proceed(call)
            finally:
                status, context = call.status, call.context
                level = ok_level if status.code == "OK" else WARNING if status.code in _FAULTS else INFO
                if log.enabled(level):
                    fields: dict[str, object] = {
                        "method": method.path,
                        "code": status.code,
                        "ms": int((time.monotonic() - call.started) * 1e6) / 1000,
                        "request_id": context.request_id,
                        "address": context.address,
                    }
                    if status.reason:
                        fields["reason"] = status.reason
                    if context.caller is not None:
                        fields["tenant_id"] = context.caller.tenant_id
                        fields["actor"] = context.caller.api_key_id or context.caller.user_id
                    if context.log:
                        fields.update(context.log)
                    log.write(level, "call", fields)

        return logging

    return wrap
