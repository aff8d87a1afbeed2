"""Assembly of auth: `app` opens it; `rpc` and the other features use it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from bossjy_server.auth.audit.audit_list import AuditLog
from bossjy_server.auth.audit.audit_sweep import sweep
from bossjy_server.auth.audit.operator_journal import OperatorJournal
from bossjy_server.auth.audit.refused_scopes import RefusedScopes
from bossjy_server.auth.credentials.apikeys import ApiKeys
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.credentials.tokens import AccessTokens
from bossjy_server.auth.login.authenticator import Authenticator
from bossjy_server.auth.login.live_callers import LiveCallers
from bossjy_server.auth.login.revocations import Revocations
from bossjy_server.auth.login.second_factor import SecondFactor
from bossjy_server.auth.login.sessions import Sessions
from bossjy_server.auth.login.throttle import Throttle
from bossjy_server.auth.login.wrong_logins import WrongLogins
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.people.accounts import Accounts
from bossjy_server.auth.people.registration import Registration, first_registration_token
from bossjy_server.auth.people.users import Users
from bossjy_server.auth.servicer import AuthServicer
from bossjy_server.blocking import in_thread
from bossjy_server.errors import BossjyError, StartError
from bossjy_server.storage.postgres import Database
from bossjy_server.tasks import end_task

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Auth:
    """The interface of auth for the rest of the service."""

    servicer: AuthServicer
    authenticator: Authenticator
    live_callers: LiveCallers
    keys: Keys
    registration_token: str | None  # of the first start, until it is used
    refused_scopes: RefusedScopes

    def __repr__(self) -> str:
        return "Auth()"  # the token is a secret


@asynccontextmanager
async def open_auth(
    database: Database,
    redis: Redis | None,
    data_dir: Path,
    options: AuthOptions | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Auth]:
    """Open auth; stop its tasks on exit. The keys are in `data_dir/keys`, created if necessary.

    Raises StartError for settings or a key folder that cannot be used.
    """
    options = options or AuthOptions()
    try:
        options.check()
    except ValueError as error:
        raise StartError(str(error)) from error
    keys = await in_thread(load_keys, data_dir, options, clock)
    revocations = Revocations(redis, options, clock)
    throttle = Throttle(redis, keys, options)
    tokens = AccessTokens(keys, options, clock)
    async with AsyncExitStack() as stack:
        passwords = await in_thread(Passwords, options)
        stack.callback(passwords.close)
        rules = await in_thread(PasswordRules, options)  # reads the list: some tenths of a second
        api_keys = ApiKeys(database, options, clock)
        second_factor = SecondFactor(
            database=database, keys=keys, passwords=passwords, throttle=throttle, options=options, clock=clock
        )
        wrong_logins = WrongLogins(database, options)
        stack.push_async_callback(wrong_logins.flush)
        sessions = Sessions(
            database=database,
            keys=keys,
            tokens=tokens,
            passwords=passwords,
            throttle=throttle,
            revocations=revocations,
            second_factor=second_factor,
            wrong_logins=wrong_logins,
            options=options,
            clock=clock,
        )
        registration = Registration(database, options.registration)
        accounts = Accounts(
            database=database,
            sessions=sessions,
            passwords=passwords,
            rules=rules,
            registration=registration,
            throttle=throttle,
            revocations=revocations,
            options=options,
            clock=clock,
        )
        authenticator = Authenticator(tokens, api_keys, revocations, options, clock)
        users = Users(
            database=database,
            keys=keys,
            passwords=passwords,
            rules=rules,
            api_keys=api_keys,
            revocations=revocations,
            options=options,
            clock=clock,
        )
        servicer = AuthServicer(
            accounts=accounts,
            sessions=sessions,
            users=users,
            api_keys=api_keys,
            authenticator=authenticator,
            second_factor=second_factor,
            audit_log=AuditLog(database),
            keys=keys,
        )
        token = await first_registration_token(database, data_dir) if options.registration == "token" else None
        await revocations.exchange()  # sessions that ended while this server was down
        journal = OperatorJournal(data_dir)
        watching = _watch_keys(keys, options, journal, database)
        for work in (revocations.run(), watching, sweep(database, options), wrong_logins.run()):
            task = asyncio.create_task(work)
            stack.push_async_callback(end_task, task)
        live_callers = LiveCallers(database, revocations, clock)
        yield Auth(servicer, authenticator, live_callers, keys, token, RefusedScopes(database))


def load_keys(data_dir: Path, options: AuthOptions, clock: Callable[[], float] = time.time) -> Keys:
    """The keys in `data_dir/keys`, created if necessary. Blocks; raises StartError. `rotate` on it creates a key."""
    return Keys.load(
        data_dir / "keys",
        retire_s=options.access_lifetime_s + 2 * options.access_leeway_s,
        activation_s=options.key_activation_s,
        clock=clock,
    )


async def _watch_keys(keys: Keys, options: AuthOptions, journal: OperatorJournal, database: Database) -> None:
    """Find keys that another process created, and copy its operator's acts into the audit log.

    While the folder cannot be read, the keys stay unchanged.
    """
    while True:
        try:
            await journal.copy(database)
        except (OSError, BossjyError) as error:
            _LOG.warning("the operator's commands are not in the audit log yet: %s", error)
        await asyncio.sleep(options.key_reload_s)
        try:
            await in_thread(keys.reload)
        except (OSError, ValueError):
            _LOG.exception("the key folder cannot be read; the loaded keys stay in use")
