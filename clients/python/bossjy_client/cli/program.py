"""`bossjy`: parses the command line, runs one command, and turns the result into an exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version

from bossjy_client.cli import (
    contacts,
    importing,
    imports,
    keys,
    login,
    password,
    phone,
    plan,
    register,
    second_factor,
    sessions,
    tenant,
    users,
)
from bossjy_client.cli.exit_codes import ExitCode, exit_code
from bossjy_client.cli.session import DEFAULT_TARGET, Session
from bossjy_client.errors import BossjyError

# In the order of `bossjy --help`.
_MODULES = (
    *(login, register, password, second_factor, sessions, users, tenant, keys),
    *(phone, importing, imports, contacts, plan),
)

Command = Callable[[Session], Awaitable[ExitCode]]

_EPILOG = """exit codes:
  0  all was done
  1  a fault of the service or of the tool
  2  the command line is wrong
  3  not logged in, rejected, or not allowed
  4  the service rejected the request, or an import failed
  5  the service was not reached; the same command can succeed later
  6  all was done, and the data has findings: numbers not valid, rows rejected
  7  a file cannot be read or written
  8  nothing was sent: the region of the numbers is missing or wrong; add --region, or --yes
  130  interrupted; the same command continues an import

environment:
  BOSSJY_TARGET      address of the service: HOST:PORT, or consul://AGENT:PORT/SERVICE
  BOSSJY_TOKEN       API key or access token, in place of `bossjy login`
  CONSUL_HTTP_TOKEN  token for the agent of a target consul://
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--target", metavar="HOST:PORT", help=f"address of the service (at login: {DEFAULT_TARGET})")
    group.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    group.add_argument("--tls", action=argparse.BooleanOptionalAction, help="TLS (default: to other machines)")
    group.add_argument("--ca-file", metavar="PEM", help="certificate authorities to trust")
    group.add_argument("--cert-file", metavar="PEM", help="certificate of this client, if the service requires one")
    group.add_argument("--key-file", metavar="PEM", help="private key of that certificate")
    top = argparse.ArgumentParser(
        prog="bossjy",
        description="Phone numbers checked, lists imported, contacts found.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"bossjy {version('bossjy')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _MODULES:
        module.add_commands(commands, common)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool. Returns the exit code."""
    try:
        try:
            return _main(arguments)
        finally:
            sys.stdout.flush()  # here, so that a closed pipe is noticed before the interpreter's own flush
    except BrokenPipeError:
        # The reader of the output ended (`| head`). Keep the interpreter from complaining at its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _main(arguments: Sequence[str] | None) -> int:
    args = parser().parse_args(arguments)
    session = Session(args)
    command: Command = args.command
    try:
        return asyncio.run(_interruptible(command(session)))
    except BossjyError as error:
        session.output.error(error)
        return exit_code(error)
    except KeyboardInterrupt:
        session.output.note("interrupted")
        return ExitCode.INTERRUPTED


async def _interruptible(command: Awaitable[ExitCode]) -> ExitCode:
    """SIGTERM ends the command like Ctrl-C, so that files and connections are closed."""
    task = asyncio.ensure_future(command)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
