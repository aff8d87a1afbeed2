"""Operator commands of `bossjy-server`: `owner create`, `tenants`, `keys`, `services` and `database`."""

from __future__ import annotations

import argparse
import getpass
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import datetime

from bossjy_server.auth.audit.operator_journal import OperatorJournal
from bossjy_server.auth.credentials.certificates import NewBinding, bind, binding_lines, may_bind, unbind
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.people.operator import NewOwner, create_owner, key_lines
from bossjy_server.auth.people.tenant_store import TenantRow
from bossjy_server.auth.people.tenants import delete_tenant, find_tenant, list_tenants, set_limit
from bossjy_server.auth.service import load_keys
from bossjy_server.config import Settings
from bossjy_server.embedded.servers import running_database, start_embedded
from bossjy_server.errors import BossjyError, StartError
from bossjy_server.loop import run
from bossjy_server.rpc.tls import is_name
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import setup_statements
from bossjy_server.storage.setup import at_parts, open_for_command

_EMAIL = re.compile(r"[^@\s\0]{1,256}@[^@\s\0]{1,63}(\.[^@\s\0]{1,63})*")
_NAME_MAX_CHARS = 200
_NOT_OWNER = "this requires the owner of the tables: set DATABASE_ADMIN_URL to its URL"
_DELETION = """This deletes the users, sessions, API keys, contacts and imports of the tenant {0} ({1}).
Nobody can restore them. Its audit log stays for BOSSJY_AUDIT_DAYS; the records of its erasures and its id stay.
Sessions and keys end within five seconds; an access token can still ask about numbers until it expires."""


def operate(options: argparse.Namespace, settings: Settings) -> int:
    """Run one of the commands. Returns the exit code; raises StartError with one line for a failure."""
    auth = settings.auth
    if options.command == "database":
        return run(_apply_schema(settings)) if options.action == "apply" else _database_sql(settings)
    if options.command == "keys":
        return _keys(options, settings, auth)
    try:
        if options.command == "services":
            return run(_services(options, settings))
        if options.command == "tenants":
            return run(_tenants(options, settings))
        return run(_create_owner(options, settings, auth))
    except BossjyError as error:
        raise StartError(error.message) from error


def _database_sql(settings: Settings) -> int:
    if not settings.database.url:
        raise StartError("the embedded database needs no preparation: set DATABASE_URL to the one that you prepare")
    lines = setup_statements(settings.database.admin_url, settings.database.url, settings.database.role)
    print("\n".join(lines))
    return 0


async def _apply_schema(settings: Settings) -> int:
    async with _database(settings, as_owner=True) as database:
        for remark in database.remarks:
            print(remark)
    print("the tables are up to date")
    return 0


def _keys(options: argparse.Namespace, settings: Settings, auth: AuthOptions) -> int:
    keys = load_keys(settings.process.data_dir, auth)
    if options.action == "rotate":
        made = keys.rotate()
        _note(settings, "auth.rotate_keys", made.kid)
        print(f"made {made.kid}: servers publish it within {auth.key_reload_s:g} s,", end=" ")
        print(f"it signs after {auth.key_activation_s} s, tokens of the old key stay valid until they expire")
    elif options.action == "remove":
        try:
            keys.remove(options.kid)
        except KeyError:
            raise StartError("there is no such key: `bossjy-server keys list` shows them") from None
        except ValueError as error:
            raise StartError(str(error)) from error
        _note(settings, "auth.remove_key", options.kid)
        print(f"removed {options.kid}: servers refuse its tokens within {auth.key_reload_s:g} s")
    else:
        print("\n".join(key_lines(keys)))
    return 0


def _note(settings: Settings, action: str, kid: str) -> None:
    """Record an act on the keys, in the audit log if a database is named; else a server does it soon."""
    journal = OperatorJournal(settings.process.data_dir)
    try:
        journal.add(action, kid)
    except OSError as error:
        raise StartError(f"the keys were changed, but the audit log lacks it: {error}") from error
    if settings.database.url:
        run(_copy(journal, settings.database.url))


async def _copy(journal: OperatorJournal, database_url: str) -> None:
    # The key must change whatever the database does, so no fault of it may stop the command.
    with suppress(Exception):
        database = await Database.open(database_url, min_size=1, max_size=1)
        try:
            await journal.copy(database)
        finally:
            await database.close()


async def _create_owner(options: argparse.Namespace, settings: Settings, auth: AuthOptions) -> int:
    names = (options.tenant_name, options.name)
    if not _EMAIL.fullmatch(options.email) or any(len(name) > _NAME_MAX_CHARS or "\0" in name for name in names):
        raise StartError("--email must be a mail address, and names must have at most 200 characters")
    password = "" if options.generate else _asked_password()
    new = NewOwner(options.email, options.tenant_name, options.tenant, options.name, password)
    async with _database(settings, as_owner=False) as database:
        user, made = await create_owner(database, new, auth)
    print(f"tenant {user.tenant_id}\nuser {user.user_id}")
    if made:
        print(f"password {made}\nThis password is shown once and must be changed at the first login.")
    print(f"to log in: bossjy login --tenant {user.tenant_id} --email {user.email}")
    return 0


async def _tenants(options: argparse.Namespace, settings: Settings) -> int:
    by_owner = options.action != "limit"
    async with _database(settings, as_owner=by_owner) as database:
        if by_owner and not await may_bind(database):
            raise StartError(_NOT_OWNER)
        if options.action == "list":
            for tenant in await list_tenants(database):
                print(json.dumps(asdict(tenant), default=_iso, ensure_ascii=False) if options.json else _line(tenant))
        elif options.action == "limit":
            former = await set_limit(database, options.tenant, options.calls_per_minute)
            print(f"{options.tenant}: {former} -> {options.calls_per_minute} calls a minute of each class of methods")
        else:
            await _delete_tenant(options.tenant, database)
    return 0


def _iso(value: datetime) -> str:
    return value.isoformat()


def _line(tenant: TenantRow) -> str:
    calls = f"{tenant.calls_per_minute} calls a minute" if tenant.calls_per_minute else "no limit"
    state = f"created {tenant.create_time:%Y-%m-%d}"
    if tenant.delete_time is not None:
        state = f"deleted {tenant.delete_time:%Y-%m-%d}"
    return f"{tenant.tenant_id}  {tenant.display_name}  {tenant.default_region or '-'}  {calls}  {state}"


async def _delete_tenant(tenant_id: str, database: Database) -> None:
    tenant = await find_tenant(database, tenant_id)
    print(_DELETION.format(tenant_id, tenant.display_name))
    print("Type the id of the tenant to delete it: ", end="", flush=True)
    if sys.stdin.readline(200).strip() != tenant_id:
        raise StartError("the typed text is not the id of the tenant: nothing was deleted")
    deleted = await delete_tenant(database, tenant_id)
    print(f"\ndeleted {tenant_id}: " + ", ".join(f"{count} {table}" for table, count in deleted.items() if count))


async def _services(options: argparse.Namespace, settings: Settings) -> int:
    listing = options.action == "list"
    if not listing and not is_name(options.certificate):
        raise StartError(
            "--certificate must be a URI of the certificate, or CN= and its common name; at most 200 characters"
        )
    async with _database(settings, as_owner=True) as database:
        if not await may_bind(database):
            raise StartError(_NOT_OWNER)
        if listing:
            print("\n".join(await binding_lines(database)))
            return 0
        name: str = options.certificate
        if options.action == "bind":
            scopes = frozenset(options.scopes.replace(",", " ").split())
            key = await bind(database, NewBinding(name, options.tenant, options.user, scopes, options.days))
            print(f"bound {name} until {key.expire_time:%Y-%m-%d}: listed and ended as the API key {key.api_key_id}")
        else:
            await unbind(database, name)
            print(f"unbound {name}: servers refuse it within {AuthOptions().api_key_recheck_s:g} s")
    return 0


@asynccontextmanager
async def _database(settings: Settings, *, as_owner: bool) -> AsyncIterator[Database]:
    """The database as its owner or as the service. If none is named, the embedded one, which is started if need be."""
    embedded = not settings.database.url
    beside = await running_database(settings.process.data_dir) if embedded else None
    async with start_embedded(settings.process.data_dir, postgres=embedded and beside is None, redis=False) as started:
        parts = beside or started
        database = await open_for_command(
            at_parts(
                settings.database, parts, audit_days=settings.auth.audit_days, tenant_share=settings.limits.tenant_share
            ),
            as_owner=as_owner,
        )
        try:
            yield database
        finally:
            await database.close()


def _asked_password() -> str:
    """The password: from the terminal, twice; from a pipe, one line. Raises StartError if there is none."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline(4096).rstrip("\r\n")
    else:
        password = getpass.getpass("Password of the owner: ")
        if getpass.getpass("Repeat the password: ") != password:
            raise StartError("the two passwords differ: nothing was created")
    if not password:
        raise StartError("no password was given: type one, or use --generate")
    return password
