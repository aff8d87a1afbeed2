"""Secrets from the terminal, hidden, or from standard input, one a line. Never from the command line."""

from __future__ import annotations

import getpass
import sys

from bossjy_client.cli.messages import tr
from bossjy_client.errors import CredentialsError

_LINE_MAX_CHARS = 8192


def on_terminal() -> bool:
    """True if a person can be asked."""
    return sys.stdin.isatty()


def ask(prompt: str, advice: str) -> str:
    """A line that may be shown. Raises CredentialsError with the advice if nobody can be asked."""
    if not on_terminal():
        raise CredentialsError(tr("standard input is not a terminal: {advice}", advice=advice))
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline(_LINE_MAX_CHARS).strip()


def secret(prompt: str, *, from_stdin: bool, advice: str = "") -> str:
    """A secret: the next line of standard input, or typed without echo. Raises CredentialsError if there is none."""
    if from_stdin:
        found = next_line()
        if not found:
            raise CredentialsError(
                tr("standard input ended before this secret; it has one secret a line: {prompt}", prompt=prompt)
            )
        return found
    if not on_terminal():
        advice = advice or tr("give the password with --password-stdin")
        raise CredentialsError(tr("standard input is not a terminal: {advice}", advice=advice))
    found = getpass.getpass(f"{prompt}: ")
    if not found:
        raise CredentialsError(tr("nothing was typed: {prompt}", prompt=prompt))
    return found


def new_password(*, from_stdin: bool, prompt: str = "") -> str:
    """A new password: the next line of standard input, or typed twice. Raises CredentialsError."""
    prompt = prompt or tr("New password")
    password = secret(prompt, from_stdin=from_stdin)
    if not from_stdin and getpass.getpass(tr("{prompt}, again: ", prompt=prompt)) != password:
        raise CredentialsError(tr("the two passwords differ: nothing was changed"))
    return password


def next_line() -> str:
    """The next line of standard input without its end; empty at the end of the input."""
    return sys.stdin.readline(_LINE_MAX_CHARS).rstrip("\r\n")
