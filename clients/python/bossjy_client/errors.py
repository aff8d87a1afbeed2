"""Exceptions of calls, with one base class.

The server sends `google.rpc.Status` with its details (ErrorInfo, RetryInfo, RequestInfo, BadRequest) in the
trailing metadata. Only `from_rpc_error` reads them; the rest of the client sees `BossjyError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import grpc.aio

    from bossjy_client.error_details import ErrorDetails

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "bossjy"


class FieldViolation(NamedTuple):
    """One field of the request that breaks a rule."""

    field: str
    description: str


class BossjyError(Exception):
    """Base of all errors of this package.

    code: name of the status code (`INVALID_ARGUMENT`); empty if no call was made.
    reason: name of a value of `bossjy.common.v1.ErrorReason` without its prefix (`SCOPE_MISSING`); programs
    branch on it. Empty if no service answered: a refused connection, a proxy.
    message: the problem and its remedy.
    metadata: additional short strings; the comment of the reason in the contract lists them.
    retry_after_s: seconds to wait before a repetition, or None.
    request_id: id of the call in the server's log; quote it when asking for help.
    violations: fields that break a rule of the contract.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        request_id: str = "",
        violations: tuple[FieldViolation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.violations = violations

    def __str__(self) -> str:
        # The server's message names the field that it is about, and repeats the first description.
        only = len(self.violations) == 1
        more = (
            f"{one.field}: {one.description}"
            for one in self.violations
            if one.description not in self.message and not (only and one.field in self.message)
        )
        return "; ".join(dict.fromkeys([self.message or self.code, *more]))


class InvalidRequestError(BossjyError):
    """INVALID_ARGUMENT or OUT_OF_RANGE: the request is wrong, repeating it does not help."""


class UnauthenticatedError(BossjyError):
    """UNAUTHENTICATED: no credentials, or invalid credentials."""


class PermissionDeniedError(BossjyError):
    """PERMISSION_DENIED: the credentials are valid and do not allow the call."""


class NotFoundError(BossjyError):
    """NOT_FOUND: the tenant has no such resource."""


class ConflictError(BossjyError):
    """ALREADY_EXISTS, ABORTED or FAILED_PRECONDITION: the state of the resource does not allow it."""


class LimitError(BossjyError):
    """RESOURCE_EXHAUSTED: a rate, a quota or a size."""


class UnavailableError(BossjyError):
    """UNAVAILABLE or DEADLINE_EXCEEDED: the service was not reached, or not in time. Repeating can help."""


class UploadError(BossjyError):
    """An upload could not be finished. Acknowledged data is committed, and the upload can be resumed."""


class CredentialsError(BossjyError):
    """There are no stored credentials, or they cannot be read."""


class SourceError(BossjyError):
    """A file or stream for an upload cannot be read, or has changed."""


_BY_CODE: Mapping[str, type[BossjyError]] = {
    "INVALID_ARGUMENT": InvalidRequestError,
    "OUT_OF_RANGE": InvalidRequestError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": ConflictError,
    "ABORTED": ConflictError,
    "FAILED_PRECONDITION": ConflictError,
    "RESOURCE_EXHAUSTED": LimitError,
    "UNAVAILABLE": UnavailableError,
    "DEADLINE_EXCEEDED": UnavailableError,
}

# A proxy's answer for a server whose connection broke. gRPC maps the HTTP statuses 502 to 504 itself, but not 500.
_PROXY_FAILED = "Received http2 header with status: 500"


# gRPC's own text at a deadline, and its remedy.
_DEADLINE = "Deadline Exceeded"
LATE = "no answer within the time of the call: give it a longer timeout, or try again"


def from_rpc_error(error: grpc.aio.AioRpcError) -> BossjyError:
    """The typed error that the server raised, or one without a reason if a proxy answered."""
    code = error.code().name
    if code == "UNKNOWN" and (error.details() or "").startswith(_PROXY_FAILED):
        code = "UNAVAILABLE"
    found = _details(error)
    return _BY_CODE.get(code, BossjyError)(
        LATE if error.details() == _DEADLINE else error.details() or code,
        code=code,
        reason=found.reason if found.domain == DOMAIN else "",
        metadata=found.metadata,
        retry_after_s=found.retry_after_s,
        request_id=found.request_id,
        violations=tuple(FieldViolation(*one) for one in found.violations),
    )


def _details(error: grpc.aio.AioRpcError) -> ErrorDetails:
    from bossjy_client.error_details import ErrorDetails, read_details  # noqa: PLC0415 - for answers of a service only

    trailing: Any = error.trailing_metadata() or ()  # the stubs type one entry, gRPC returns all of them
    for key, value in trailing:
        if key == DETAILS_KEY and isinstance(value, bytes):
            # The status matters even if its details cannot be read.
            with suppress(ValueError):
                return read_details(value)
    return ErrorDetails()
