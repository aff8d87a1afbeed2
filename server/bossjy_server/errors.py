"""Typed errors of the service, independent of gRPC: only `rpc/errors.py` converts them to status.

The public message and the hidden cause are separate: `message` goes to the caller. `__cause__` goes to the log if it is
a fault of the service or of a dependency, which are errors of the kinds UNAVAILABLE and DEADLINE_EXCEEDED.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Reasons of errors for programs: the values of `bossjy.common.v1.ErrorReason` without their prefix.

    The contract documents each of them; a test checks that the two lists are equal.
    """

    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    INVALID_FIELD = "INVALID_FIELD"
    UNKNOWN_METHOD = "UNKNOWN_METHOD"
    METHOD_NOT_AVAILABLE = "METHOD_NOT_AVAILABLE"
    INTERNAL = "INTERNAL"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    OVERLOADED = "OVERLOADED"
    RATE_LIMITED = "RATE_LIMITED"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    CACHE_UNAVAILABLE = "CACHE_UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    FILTER_INVALID = "FILTER_INVALID"
    ORDER_INVALID = "ORDER_INVALID"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    CREDENTIALS_MISSING = "CREDENTIALS_MISSING"
    CREDENTIALS_AMBIGUOUS = "CREDENTIALS_AMBIGUOUS"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    SESSION_ENDED = "SESSION_ENDED"
    REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"
    SCOPE_MISSING = "SCOPE_MISSING"
    LOGIN_REFUSED = "LOGIN_REFUSED"
    LOGIN_THROTTLED = "LOGIN_THROTTLED"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    PASSWORD_REFUSED = "PASSWORD_REFUSED"
    REGISTRATION_CLOSED = "REGISTRATION_CLOSED"
    USER_EXISTS = "USER_EXISTS"
    LAST_OWNER = "LAST_OWNER"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    COLUMNS_UNEQUAL = "COLUMNS_UNEQUAL"
    ARROW_INVALID = "ARROW_INVALID"
    LANGUAGE_UNKNOWN = "LANGUAGE_UNKNOWN"
    PLAN_UNKNOWN = "PLAN_UNKNOWN"
    NUMBER_NOT_PARSED = "NUMBER_NOT_PARSED"
    UPLOAD_OUT_OF_ORDER = "UPLOAD_OUT_OF_ORDER"
    UPLOAD_IDLE = "UPLOAD_IDLE"
    OFFSET_COMMITTED = "OFFSET_COMMITTED"
    OFFSET_GAP = "OFFSET_GAP"
    CHECKSUM_MISMATCH = "CHECKSUM_MISMATCH"
    PART_TAKEN = "PART_TAKEN"
    PART_UNKNOWN = "PART_UNKNOWN"
    PART_SIZE_MISMATCH = "PART_SIZE_MISMATCH"
    IMPORT_NOT_OPEN = "IMPORT_NOT_OPEN"
    IMPORT_NOT_REVERTIBLE = "IMPORT_NOT_REVERTIBLE"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    ROW_TOO_WIDE = "ROW_TOO_WIDE"
    TOO_MANY_COLUMNS = "TOO_MANY_COLUMNS"
    PHONE_COLUMN_MISSING = "PHONE_COLUMN_MISSING"
    MAPPING_INVALID = "MAPPING_INVALID"
    FORMAT_UNSUPPORTED = "FORMAT_UNSUPPORTED"
    ENCODING_UNSUPPORTED = "ENCODING_UNSUPPORTED"
    LOOKUP_NOT_CONFIGURED = "LOOKUP_NOT_CONFIGURED"
    LOOKUP_UNAVAILABLE = "LOOKUP_UNAVAILABLE"
    LOOKUP_BUDGET_SPENT = "LOOKUP_BUDGET_SPENT"
    SECOND_FACTOR_LOCKED = "SECOND_FACTOR_LOCKED"
    SECOND_FACTOR_NEEDED = "SECOND_FACTOR_NEEDED"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    STREAM_IDLE = "STREAM_IDLE"
    STREAM_UNREAD = "STREAM_UNREAD"
    WORK_LIMIT = "WORK_LIMIT"
    REJECT_LIMIT_EXCEEDED = "REJECT_LIMIT_EXCEEDED"
    HEADER_ROW_INVALID = "HEADER_ROW_INVALID"


class Kind(StrEnum):
    """The class of an error, named like the status codes of google.rpc.Code."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    ABORTED = "ABORTED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    UNIMPLEMENTED = "UNIMPLEMENTED"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks a rule: `field` is its path in the request (`spec.parts[3].size_bytes`)."""

    field: str
    description: str


class BossjyError(Exception):
    """An expected failure, reported to the caller.

    `message` says what happened and what to do next, without internals or personal data. `metadata` is for programs
    (short strings). `retry_after_s` is set if waiting helps.
    """

    kind: ClassVar[Kind]

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s


class InvalidArgument(BossjyError):
    """The request is wrong regardless of the state of the service."""

    kind = Kind.INVALID_ARGUMENT


class FailedPrecondition(BossjyError):
    """The state of the resource does not allow it. The same request can succeed after a change."""

    kind = Kind.FAILED_PRECONDITION


class OutOfRange(BossjyError):
    """An offset past the received data."""

    kind = Kind.OUT_OF_RANGE


class Unauthenticated(BossjyError):
    """Missing or invalid credentials."""

    kind = Kind.UNAUTHENTICATED


class PermissionDenied(BossjyError):
    """The caller is known but not allowed."""

    kind = Kind.PERMISSION_DENIED


class NotFound(BossjyError):
    """No such resource for this tenant."""

    kind = Kind.NOT_FOUND

    def __init__(
        self,
        resource: str,
        *,
        reason: Reason = Reason.RESOURCE_NOT_FOUND,
        message: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        text = message or f"there is no such {resource}: check its id and that it belongs to your tenant"
        super().__init__(reason, text, metadata=metadata or {"resource": resource})


class AlreadyExists(BossjyError):
    """The resource exists already."""

    kind = Kind.ALREADY_EXISTS


class Aborted(BossjyError):
    """Lost against a concurrent call. Repeat from the start of the sequence."""

    kind = Kind.ABORTED


class ResourceExhausted(BossjyError):
    """A limit of rate, quota or size."""

    kind = Kind.RESOURCE_EXHAUSTED


class DeadlineExceeded(BossjyError):
    """The work did not finish within its time."""

    kind = Kind.DEADLINE_EXCEEDED


class Unavailable(BossjyError):
    """A required dependency does not answer. Retry after `retry_after_s`."""

    kind = Kind.UNAVAILABLE


class Unimplemented(BossjyError):
    """This release does not serve the method."""

    kind = Kind.UNIMPLEMENTED


class StartError(Exception):
    """The service cannot start. The text is one line of advice."""


class NotThere(StartError):
    """A dependency does not answer yet: nothing listens, its name is not known, or it is starting."""
