"""Exit codes of the tool. They are part of its interface: programs branch on them."""

from __future__ import annotations

from enum import IntEnum

from bossjy_client.errors import (
    BossjyError,
    CredentialsError,
    PermissionDeniedError,
    SourceError,
    UnauthenticatedError,
    UnavailableError,
    UploadError,
)


class ExitCode(IntEnum):
    """Exit codes of `bossjy`."""

    DONE = 0  # all was done
    FAULT = 1  # a fault of the service or of the tool
    USAGE = 2  # the command line is wrong
    CREDENTIALS = 3  # not logged in, rejected, or not allowed
    REFUSED = 4  # the service rejected the request, or an import failed: wrong, not found, over a limit, no good row
    UNREACHED = 5  # the service was not reached, or not in time; the same command can succeed later
    FINDINGS = 6  # all was done, and the data has errors: numbers not valid, rows rejected
    SOURCE = 7  # a file cannot be read or written
    DOUBTFUL = 8  # nothing was sent: the region of the numbers is missing or wrong; give it, or --yes
    INTERRUPTED = 130  # Ctrl-C; the same command continues an import


class UsageError(BossjyError):
    """The command line is not valid."""


class DoubtfulError(BossjyError):
    """An import would probably reject its rows because an option is missing, so it is not started."""


def exit_code(error: BossjyError) -> ExitCode:
    """The exit code for an error."""
    if isinstance(error, UsageError | DoubtfulError):
        return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.DOUBTFUL
    if isinstance(error, CredentialsError | UnauthenticatedError | PermissionDeniedError):
        return ExitCode.CREDENTIALS
    if isinstance(error, UnavailableError | UploadError):
        return ExitCode.UNREACHED
    if isinstance(error, SourceError):
        return ExitCode.SOURCE
    if error.code in ("INTERNAL", "UNKNOWN", "DATA_LOSS"):
        return ExitCode.FAULT
    return ExitCode.REFUSED
