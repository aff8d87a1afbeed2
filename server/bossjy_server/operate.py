"""The operator's commands of `bossjy-server`: `owner create`, `keys list`, `keys rotate`, `keys remove`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import re
import sys
from contextlib import AsyncExitStack

from bossjy_server.app import auth_options
from bossjy_server.auth.operator import NewOwner, create_owner, key_lines
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.service import load_keys
from bossjy_server.config import Settings
from bossjy_server.errors import BossjyError, StartError
from bossjy_server.storage.embedded import start_embedded
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import apply_schema, read_init_sql

_EMAIL = re.compile(r"[^@\s\0]{1,256}@[^@\s\0]{1,63}(\.[^@\s\0]{1,63})*")
_NAME_MAX_CHARS = 200


def operate(options: argparse.Namespace, settings: Settings) -> int:
    """Run one of the commands. Returns the exit code; raises StartError with one line for what went wrong."""
    auth = auth_options(settings)
    if options.command == "keys":
        return _keys(options, settings, auth)
    try:
        return asyncio.run(_create_owner(options, settings, auth))
    except BossjyError as error:
        raise StartError(error.message) from error


def _keys(options: argparse.Namespace, settings: Settings, auth: AuthOptions) -> int:
    keys = load_keys(settings.data_dir, auth)
    if options.action == "rotate":
        made = keys.rotate()
        print(f"made {made.kid}: servers publish it within {auth.key_reload_s:g} s,", end=" ")
        print(f"it signs after {auth.key_activation_s} s, tokens of the old key hold until they end")
    elif options.action == "remove":
        try:
            keys.remove(options.kid)
        except KeyError:
            raise StartError("there is no such key: `bossjy-server keys list` shows them") from None
        except ValueError as error:
            raise StartError(str(error)) from error
        print(f"removed {options.kid}: servers refuse its tokens within {auth.key_reload_s:g} s")
    else:
        print("\n".join(key_lines(keys)))
    return 0


async def _create_owner(options: argparse.Namespace, settings: Settings, auth: AuthOptions) -> int:
    names = (options.tenant_name, options.name)
    if not _EMAIL.fullmatch(options.email) or any(len(name) > _NAME_MAX_CHARS or "\0" in name for name in names):
        raise StartError("--email is a mail address, and names have at most 200 characters")
    password = "" if options.generate else _asked_password()
    new = NewOwner(options.email, options.tenant_name, options.tenant, options.name, password)
    async with AsyncExitStack() as stack:
        url = settings.database_url
        if not url:
            parts = await stack.enter_async_context(start_embedded(settings.data_dir, postgres=True, redis=False))
            url = parts.database_url
        await apply_schema(settings.database_admin_url or url, read_init_sql())
        database = await Database.open(url, min_size=1, max_size=1)
        stack.push_async_callback(database.close)
        user, made = await create_owner(database, new, auth)
    print(f"tenant {user.tenant_id}\nuser {user.user_id}")
    if made:
        print(f"password {made}\nThis password is shown once and must be changed at the first login.")
    return 0


def _asked_password() -> str:
    """From the terminal, twice; from a pipe, one line. Raises StartError when there is none."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline(4096).rstrip("\r\n")
    else:
        password = getpass.getpass("Password of the owner: ")
        if getpass.getpass("The same again: ") != password:
            raise StartError("the two passwords differ: nothing was made")
    if not password:
        raise StartError("no password was given: type one, or use --generate")
    return password
