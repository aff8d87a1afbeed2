"""The command `bossjy-server`: serve, demo, settings, health, doctor, owner, tenants, keys, services, database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from bossjy_server.config import Settings, read_settings
from bossjy_server.errors import StartError
from bossjy_server.health_command import ask_health
from bossjy_server.loop import no_end_by_hangup, run
from bossjy_server.serving import demo, serve
from bossjy_server.setting_list import show_settings

# Exit codes: 0 success, 1 the demonstration found a difference or the doctor a fault, 2 the server could not start.
EXIT_WRONG, EXIT_NO_START = 1, 2
_DAYS_MAX, _CALLS_MAX, _WAIT_MAX_S = 3650, 10**9, 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code; a failed start prints one line of advice."""
    try:
        try:
            return _main(arguments)
        finally:
            sys.stdout.flush()  # here, so that a closed pipe is noticed before the interpreter's own flush
    except BrokenPipeError:  # the reader of a list has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _main(arguments: Sequence[str] | None) -> int:
    options = command_line().parse_args(arguments)
    if options.command in ("serve", "demo"):
        no_end_by_hangup()
    try:
        named = {"BOSSJY_WORKERS": options.workers} if getattr(options, "workers", None) else {}
        return _run(options, read_settings(os.environ, file=options.config, named=named))
    except StartError as error:
        if options.command == "doctor":
            from bossjy_server.doctor.doctor_run import refuse_settings  # noqa: PLC0415 - as in serving

            return refuse_settings(str(error), as_json=options.json)
        print(f"bossjy-server: {error}", file=sys.stderr)
        return EXIT_NO_START
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the command that was named."""
    if options.command == "settings":
        return show_settings(settings, as_json=options.json)
    if options.command == "health":
        return ask_health(settings.metrics, live=options.live)
    if options.command == "doctor":
        from bossjy_server.doctor.doctor_run import examine  # noqa: PLC0415 - as in serving

        return examine(settings, as_json=options.json, wait_s=options.wait_s)
    _keep_private(settings.process.data_dir)
    # Read when gRPC is loaded, here and in workers. Otherwise it prints a line for each broken handshake of a stranger.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if options.command in ("owner", "tenants", "keys", "services", "database"):
        from bossjy_server.operate import operate  # noqa: PLC0415 - as in serving

        return operate(options, settings)
    return run(demo(settings, once=options.once) if options.command == "demo" else serve(settings))


def command_line() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="bossjy-server", description="Validate phone numbers and import contact lists over gRPC."
    )
    parser.add_argument(
        "--config",
        default="",
        metavar="FILE",
        help="TOML file of settings (setting: BOSSJY_CONFIG); variables override it",
    )
    parser.add_argument("--version", action="version", version=f"bossjy-server {version('bossjy-server')}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve until SIGTERM or Ctrl-C")
    serve.add_argument("--workers", metavar="N", help="processes that serve on the port (setting: BOSSJY_WORKERS)")
    demo = commands.add_parser("demo", help="serve with a demonstration tenant and 10,000 imported contacts")
    demo.add_argument("--once", action="store_true", help="end after the demonstration, with 0 if its result was right")
    health = commands.add_parser("health", help="ask the server on this machine for its health; 0: ready, 1: not")
    health.add_argument("--live", action="store_true", help="only if the process runs, with or without PostgreSQL")
    shown = commands.add_parser("settings", help="list the settings: value, origin, default and meaning")
    shown.add_argument("--json", action="store_true", help="one JSON object per line")
    doctor = commands.add_parser(
        "doctor",
        help="check settings, PostgreSQL, Redis, keys, certificates, disk and ports; 1 if one is broken",
        description="Check the installation, beside a running server or without one, and change nothing. Each line is "
        "OK, WARN or FAIL with a fact and what to do. Exit code 1 if a line is FAIL, else 0.",
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object per line: check, state, fact, action")
    doctor.add_argument(
        "--wait-s", type=_wait, default=3.0, metavar="N", help="longest wait in seconds for one answer of a server (3)"
    )
    _add_operating(commands)
    return parser


def _add_operating(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of operate.py."""
    owner = commands.add_parser("owner", help="create the owner of a tenant")
    create = owner.add_subparsers(dest="action", required=True).add_parser(
        "create",
        help="create an owner; the command asks for the password, or with --generate makes one and shows it once",
    )
    place = create.add_mutually_exclusive_group(required=True)
    place.add_argument("--tenant-name", default="", help="name of a new tenant")
    place.add_argument("--tenant", default="", help="id of an existing tenant")
    create.add_argument("--email", required=True, help="mail address of the owner")
    create.add_argument("--name", default="", help="name of the owner")
    create.add_argument("--generate", action="store_true", help="generate a password, to be changed at the first login")
    _add_tenants(commands)
    keys = commands.add_parser("keys", help="the keys that sign access tokens")
    actions = keys.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="list them")
    actions.add_parser(
        "rotate", help="create a new one; running servers start to use it by themselves, old tokens stay valid"
    )
    remove = actions.add_parser("remove", help="remove one immediately; its tokens end")
    remove.add_argument("kid", help="id of the key, as `keys list` shows it; `--` before one that begins with -")
    database = commands.add_parser("database", help="the database's roles and tables")
    actions = database.add_subparsers(dest="action", required=True)
    actions.add_parser("apply", help="bring the tables up to date, before servers of a new release start")
    actions.add_parser("sql", help="show the SQL that an administrator runs before the first start")
    services = commands.add_parser("services", help="client certificates bound to service accounts")
    actions = services.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="list them")
    bind = actions.add_parser("bind", help="bind a certificate to a user with the service role")
    bind.add_argument("--tenant", required=True, help="id of the tenant")
    bind.add_argument("--user", required=True, help="id of the user")
    bind.add_argument("--scopes", required=True, help="its scopes: phone.read,contacts.read …")
    bind.add_argument("--days", type=_days, default=365, metavar="N", help="until it ends (365)")
    unbind = actions.add_parser("unbind", help="remove a binding; running servers notice within five seconds")
    for one in (bind, unbind):
        one.add_argument("--certificate", required=True, help="its URI, spiffe://acme/worker; without one CN=worker")


def _add_tenants(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands on tenants."""
    tenants = commands.add_parser("tenants", help="list tenants, change a limit, delete a tenant")
    actions = tenants.add_subparsers(dest="action", required=True)
    shown = actions.add_parser("list", help="list all tenants with their limits")
    shown.add_argument("--json", action="store_true", help="one JSON object per line")
    text = "show or change the limits of a tenant; running servers apply them within some seconds"
    limit = actions.add_parser("limit", help=text, description=text)
    limit.add_argument("tenant", help="id of the tenant")
    limit.add_argument("--calls-per-minute", type=_calls, metavar="N", help="of each class of methods; 0: no limit")
    for option, least, most, about in (
        ("streams", 0, 100_000, "simultaneous streams in one process; 0: no limit"),
        ("open-imports", 1, 100_000, "open imports at once"),
        ("users", 1, 1_000_000, "users"),
        ("api-keys", 1, 1_000_000, "API keys in use"),
    ):
        limit.add_argument(
            f"--{option}",
            dest=f"{option.replace('-', '_')}_most",
            type=_limit(least, most),
            metavar="N",
            help=f"{about}; `default`: the limit of the server",
        )
    text = "delete a tenant with its users, contacts and imports; asks for the tenant's id as confirmation"
    delete = actions.add_parser("delete", help=text, description=text)
    delete.add_argument("tenant", help="id of the tenant")


def _limit(least: int, most: int) -> Callable[[str], int | str]:
    """A reader of a limit: a number, or `default`."""

    def read(text: str) -> int | str:
        if text == "default":
            return text
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}, or `default`")
        return int(text)

    return read


def _calls(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _CALLS_MAX:
        raise argparse.ArgumentTypeError(f"a whole number from 0 to {_CALLS_MAX}")
    return int(text)


def _wait(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= _WAIT_MAX_S:
        raise argparse.ArgumentTypeError(f"a number from 0.1 to {_WAIT_MAX_S:g}")
    return value


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _DAYS_MAX:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {_DAYS_MAX}")
    return int(text)


def _keep_private(folder: Path) -> None:
    """Make the files of this process private. The folder is created first: its parents keep the modes of the system."""
    with suppress(OSError):  # reported where it is used
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.umask(0o077)


if __name__ == "__main__":
    sys.exit(main())
