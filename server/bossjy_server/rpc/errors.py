"""Conversion of exceptions to status: code, message, and google.rpc details. No other module does this."""

from __future__ import annotations

import asyncio
import math

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from bossjy_server.errors import BossjyError, Kind, Reason
from bossjy_server.rpc.call import Call, Concern, Proceed, Status
from bossjy_server.rpc.method import Method
from bossjy_server.telemetry.logging import Log

DOMAIN = "bossjy"
# Kinds of errors that faults of a dependency cause, as a rule. For every other kind the cause is the caller's input: it
# stays out of the log, which has one line for the call.
_CAUSED_BY_FAULTS = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED})
# A status travels as metadata, and clients refuse metadata beyond 8 KiB: they would see INTERNAL instead. A message may
# contain a text of the caller, so all texts are truncated, by bytes.
_MOST_MESSAGE, _MOST_METADATA, _MOST_VIOLATION, _MOST_VIOLATIONS = 700, 1000, 150, 8


def errors_concern(log: Log) -> Concern:
    """Convert every exception of the inner chain into `call.status`. A cancelled call stays cancelled."""

    def wrap(_method: Method, proceed: Proceed) -> Proceed:
        async def errors(call: Call) -> None:
            try:
                await proceed(call)
            except BossjyError as error:
                call.status = status_of(error, call.context.request_id)
                if error.__cause__ is not None and error.kind in _CAUSED_BY_FAULTS:
                    log.failure("call refused", error.__cause__, request_id=call.context.request_id)
            except asyncio.CancelledError:
                call.status = Status("CANCELLED")
                raise
            except Exception as error:  # noqa: BLE001 - the last line of defence: no exception may reach the caller
                call.status = internal_status(call.context.request_id)
                log.failure("call failed", error, request_id=call.context.request_id, method=call.method.path)

        return errors

    return wrap


def status_of(error: BossjyError, request_id: str) -> Status:
    """The status of a typed error: ErrorInfo and RequestInfo; BadRequest, RetryInfo, QuotaFailure if they apply."""
    metadata = {key: _cut(value, _MOST_METADATA) for key, value in error.metadata.items()}
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=metadata),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if error.violations:
        bad = error_details_pb2.BadRequest()
        for violation in error.violations[:_MOST_VIOLATIONS]:
            bad.field_violations.add(
                field=_cut(violation.field, _MOST_VIOLATION), description=_cut(violation.description, _MOST_VIOLATION)
            )
        details.append(bad)
    if error.retry_after_s is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=_duration(error.retry_after_s)))
    if error.kind is Kind.RESOURCE_EXHAUSTED and error.reason in (Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED):
        quota = error_details_pb2.QuotaFailure()
        quota.violations.add(
            subject=error.metadata.get("subject", "caller"), description=_cut(error.message, _MOST_VIOLATION)
        )
        details.append(quota)
    return _status(error.kind.value, _cut(error.message, _MOST_MESSAGE), error.reason.value, details)


def internal_status(request_id: str) -> Status:
    """The status of an internal fault. The caller gets only the request id."""
    info = error_details_pb2.ErrorInfo(reason=Reason.INTERNAL.value, domain=DOMAIN)
    details: list[Message] = [info, error_details_pb2.RequestInfo(request_id=request_id)]
    message = "the service failed during this call: report it with the request id"
    return _status("INTERNAL", message, Reason.INTERNAL.value, details)


def _status(code: str, message: str, reason: str, details: list[Message]) -> Status:
    packed = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    for detail in details:
        wrapped = Any()
        wrapped.Pack(detail)
        packed.details.append(wrapped)
    return Status(code, message, packed.SerializeToString(), reason)


def _cut(text: str, most: int) -> str:
    """At most `most` bytes of a text, whole characters; an ellipsis marks a truncation."""
    raw = text.encode("utf-8", errors="replace")
    return text if len(raw) <= most else raw[: most - 3].decode("utf-8", errors="ignore") + "…"


def _duration(seconds: float) -> Duration:
    whole = math.floor(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))
