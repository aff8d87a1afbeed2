"""Options of every command, before or after its name, and the whole command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from bossjy_client.cli.arguments import (
    completion,
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
from bossjy_client.cli.arguments.values import DEFAULT_TARGET
from bossjy_client.cli.parsing import Parser
from bossjy_client.version import VERSION

# In the order of `bossjy --help`.
_MODULES = (
    *(login, register, password, second_factor, sessions, users, tenant, keys),
    *(phone, importing, imports, contacts, plan, completion),
)
_ABOUT = "Phone numbers checked, lists imported, contacts found."
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


class _Version(argparse.Action):
    """Prints the version."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(f"bossjy {VERSION}\n")
        parser.exit()


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--target", metavar="HOST:PORT", help=f"address of the service (at login: {DEFAULT_TARGET})")
    group.add_argument(
        "--token",
        metavar="FILE",
        help="file with an API key or access token, in place of the login; - is standard input",
    )
    group.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    group.add_argument("--csv", action="store_true", help="tables as CSV, for programs")
    group.add_argument(
        "--language",
        metavar="TAG",
        help="zh or en: language of messages, and of names that the service answers (default: by LANG, and en)",
    )
    group.add_argument("--tls", action=argparse.BooleanOptionalAction, help="TLS (default: to other machines)")
    group.add_argument("--ca-file", metavar="PEM", help="certificate authorities to trust")
    group.add_argument("--cert-file", metavar="PEM", help="certificate of this client, if the service requires one")
    group.add_argument("--key-file", metavar="PEM", help="private key of that certificate")
    group.add_argument("--version", action=_Version, nargs=0, help="the version of the tool")
    return common


class _Group:
    """Adds commands. A parser without `parents` is a group of commands, which accepts the common options as well."""

    def __init__(self, commands: Any, common: argparse.ArgumentParser) -> None:
        self._commands = commands
        self._common = common

    def add_parser(self, name: str, **options: Any) -> Parser:
        """Add a command."""
        options.setdefault("parents", [self._common])
        parser: Parser = self._commands.add_parser(name, **options)
        return parser


def parser() -> Parser:
    """The whole command line."""
    common = _common()
    top = Parser(prog="bossjy", description=_ABOUT, epilog=_EPILOG, parents=[common])
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for module in _MODULES:
        module.add_commands(_Group(commands, common), common)
    return top


def parse(words: Sequence[str], command_line: Parser | None = None) -> argparse.Namespace:
    """The arguments of a command line. Raises CommandLineError. Without a command they have no `command`."""
    args = (command_line or parser()).parse_args(words)
    args.language = getattr(args, "language", "")
    return args
