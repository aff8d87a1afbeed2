"""One-time codes as a second factor (RFC 6238), and recovery codes for a lost device.

The secret is sealed with AES-256-GCM and bound to its user. The sealing key is derived from the service's secret and is
not in the database. Recovery codes are stored as HMACs under the same secret. Each code works once: the time step of
the last one is stored, and no code of that step or an earlier one is accepted again.

A code is compared only if the password was right. Wrong codes are slowed down like wrong passwords (throttle.py). In
addition the database counts consecutive wrong one-time codes: after `wrong_codes_max` no one-time code is accepted
until a recovery code is used, or an administrator removes the second factor. A one-time code has 20 bits, so guessing
must have an end. A recovery code has 80 bits: the throttle keeps guesses far too few to find one, and a final end would
only let somebody who knows the password lock the owner out.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bossjy_server.auth import store
from bossjy_server.auth.credentials import token_format
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.login import second_factor_store
from bossjy_server.auth.login.factor_policy import second_factor_required
from bossjy_server.auth.login.throttle import Throttle
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.passwords import Passwords
from bossjy_server.auth.records import User, to_datetime
from bossjy_server.context import Caller
from bossjy_server.errors import FailedPrecondition, NotFound, Reason, Unauthenticated
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Connection, Database

_STEP_S = 30
_AROUND = (0, -1, 1)  # accepted steps: the clock of a device may be half a minute off
_DIGITS = 6
_NONCE_BYTES = 12
_RECOVERY_CODES = 10
_RECOVERY_CHARS = 16  # 80 bits


class Verdict(Enum):
    """The result of a code check."""

    RIGHT = auto()
    WRONG = auto()
    LOCKED = auto()  # not compared: too many wrong codes


class SecondFactor:
    """Turns the second factor of a user on and off, and checks its codes."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        passwords: Passwords,
        throttle: Throttle,
        options: AuthOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._passwords = passwords
        self._throttle = throttle
        self._options = options
        self._clock = clock
        self._cipher = AESGCM(keys.mac("second-factor-seal"))

    async def begin(self, caller: Caller, password: str, code: str, address: str) -> tuple[str, str]:
        """A new secret (base32), valid once it is confirmed, and its `otpauth` URI.

        `code` is needed if the user has a second factor. Raises Unauthenticated: LOGIN_REFUSED for a wrong password or
        code, SECOND_FACTOR_REQUIRED without a code, SECOND_FACTOR_LOCKED; ResourceExhausted: LOGIN_THROTTLED,
        OVERLOADED.
        """
        user = await self._checked(caller, password, code, address)
        secret = pyotp.random_base32()
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            sealed = self._seal(caller.tenant_id, caller.user_id, secret)
            kept = await second_factor_store.keep_pending(
                connection,
                caller.tenant_id,
                caller.user_id,
                sealed,
                to_datetime(self._clock()),
                replace=user.second_factor,
            )
        if not kept:  # another call has turned a second factor on since the password check
            raise _code_required()
        return secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name="BossJy")

    async def confirm(self, caller: Caller, code: str, address: str) -> list[str]:
        """Turn the second factor on with a code of the new secret. Returns the recovery codes.

        Raises NotFound if `begin` was not called; Unauthenticated: LOGIN_REFUSED for a wrong code, SECOND_FACTOR_LOCKED
        after too many; ResourceExhausted(LOGIN_THROTTLED).
        """
        tenant_id, user_id = caller.tenant_id, caller.user_id
        codes = [token_format.random_id(_RECOVERY_CHARS) for _ in range(_RECOVERY_CODES)]
        macs = [self._mac(tenant_id, user_id, one) for one in codes]
        async with self._throttle.attempt(tenant_id, user_id, address):
            async with self._database.tenant(tenant_id) as connection:
                verdict = await self._confirm(connection, caller, code, macs)
            # Raised after the commit, so that the attempt stays counted.
            if verdict is Verdict.LOCKED:
                text = "too many wrong codes of this new secret: call BeginSecondFactor again"
                raise Unauthenticated(Reason.SECOND_FACTOR_LOCKED, text)
            if verdict is Verdict.WRONG:
                raise Unauthenticated(Reason.LOGIN_REFUSED, "the code is wrong: check the clock of the device")
        return ["-".join(one[at : at + 4] for at in range(0, _RECOVERY_CHARS, 4)) for one in codes]

    async def remove(self, caller: Caller, password: str, code: str, address: str) -> None:
        """Turn the second factor off. Raises the errors of `begin`, and FailedPrecondition(SECOND_FACTOR_NEEDED)."""
        tenant_id, user_id = caller.tenant_id, caller.user_id
        had_one = (await self._checked(caller, password, code, address)).second_factor
        async with self._database.tenant(tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            user = await store.user(connection, tenant_id, user_id)
            if second_factor_required(user, self._options):
                text = "your role or tenant requires a second factor: replace it with BeginSecondFactor"
                raise FailedPrecondition(Reason.SECOND_FACTOR_NEEDED, text)
            if had_one:
                await second_factor_store.remove(connection, tenant_id, user_id, to_datetime(self._clock()))
                await record(connection, tenant_id, "auth.remove_second_factor", resource=user_id)
            else:
                await second_factor_store.remove_pending(connection, tenant_id, user_id)

    async def check(self, user: User, code: str) -> None:
        """Use up a one-time or recovery code of a user whose password was right.

        It runs in its own transaction: the code stays used, and a wrong one stays counted and recorded, whatever
        follows. Raises Unauthenticated: SECOND_FACTOR_REQUIRED without a code, LOGIN_REFUSED, SECOND_FACTOR_LOCKED.
        """
        if not code:
            raise _code_required()
        async with self._database.tenant(user.tenant_id) as connection:
            verdict = await self._use(connection, user, code)
            if verdict is Verdict.WRONG:
                await _record_refused(connection, user, "auth.use_second_factor")
        if verdict is Verdict.LOCKED:
            raise Unauthenticated(
                Reason.SECOND_FACTOR_LOCKED,
                "too many wrong one-time codes: use a recovery code, or ask an administrator to remove the second "
                "factor; then change your password, because somebody else knows it",
            )
        if verdict is Verdict.WRONG:
            raise Unauthenticated(
                Reason.LOGIN_REFUSED, "the one-time code is wrong, or was used before: use the next one"
            )

    async def _use(self, connection: Connection, user: User, code: str) -> Verdict:
        """Use up a code. Commit the transaction for every verdict."""
        plain = code.replace(" ", "").replace("-", "").lower()
        if len(plain) == _DIGITS and plain.isascii() and plain.isdigit():
            return await self._use_one_time_code(connection, user, plain)
        mac = self._mac(user.tenant_id, user.user_id, plain)
        now = to_datetime(self._clock())
        used = await second_factor_store.use_recovery_code(connection, user.tenant_id, user.user_id, mac, now)
        return Verdict.RIGHT if used else Verdict.WRONG

    async def _use_one_time_code(self, connection: Connection, user: User, code: str) -> Verdict:
        ids = (user.tenant_id, user.user_id)
        most = self._options.wrong_codes_max
        counted = await second_factor_store.count_code(connection, *ids, most)
        if counted is None:
            factor = await second_factor_store.find(connection, *ids)
            return Verdict.LOCKED if factor and factor.secret else Verdict.WRONG
        secret, count = counted
        step = self._step_of(self._open(*ids, secret), code)
        if step is not None and await second_factor_store.use_step(connection, *ids, step):
            return Verdict.RIGHT
        if count == most:
            await _record_refused(connection, user, "auth.lock_second_factor")
        return Verdict.WRONG

    async def _confirm(self, connection: Connection, caller: Caller, code: str, macs: Sequence[bytes]) -> Verdict:
        """Make the pending secret valid if the code is right. Commit the transaction for every verdict."""
        await hold_caller(connection, caller, changes_authority=True)
        ids = (caller.tenant_id, caller.user_id)
        pending = await second_factor_store.count_pending(connection, *ids, self._options.wrong_codes_max)
        if pending is None:
            factor = await second_factor_store.find(connection, *ids)
            if factor is None or factor.pending is None:
                raise NotFound("second_factor", message="no second factor was begun: call BeginSecondFactor first")
            return Verdict.LOCKED
        step = self._step_of(self._open(*ids, pending), code)
        now = to_datetime(self._clock())
        if step is None or not await second_factor_store.confirm(
            connection, *ids, pending, step=step, macs=macs, now=now
        ):
            return Verdict.WRONG
        await record(connection, caller.tenant_id, "auth.confirm_second_factor", resource=caller.user_id)
        return Verdict.RIGHT

    async def _checked(self, caller: Caller, password: str, code: str, address: str) -> User:
        """The caller's user, after a check of the password and, if the user has a second factor, of the code."""
        with self._passwords.slot() as slot:
            async with self._throttle.attempt(caller.tenant_id, caller.user_id, address):
                async with self._database.tenant(caller.tenant_id) as connection:
                    account = await store.account(connection, caller.tenant_id, caller.user_id)
                if not (await slot.verify(account.password_hash, password)).right:
                    raise Unauthenticated(Reason.LOGIN_REFUSED, "the password is wrong")
                if account.user.second_factor:
                    await self.check(account.user, code)
        return account.user

    def _step_of(self, secret: str, code: str) -> int | None:
        now = int(self._clock()) // _STEP_S
        totp = pyotp.TOTP(secret)
        return next((now + n for n in _AROUND if hmac.compare_digest(totp.generate_otp(now + n), code)), None)

    def _mac(self, tenant_id: str, user_id: str, code: str) -> bytes:
        return self._keys.mac("recovery-code", tenant_id.encode(), user_id.encode(), code.encode())

    def _seal(self, tenant_id: str, user_id: str, secret: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), f"{tenant_id}/{user_id}".encode())

    def _open(self, tenant_id: str, user_id: str, sealed: bytes) -> str:
        """Raises Unauthenticated for a secret that was sealed under another key or for another user."""
        try:
            nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, text, f"{tenant_id}/{user_id}".encode()).decode()
        except InvalidTag:
            message = "the second factor was sealed with another key of this server: ask its operator"
            raise Unauthenticated(Reason.LOGIN_REFUSED, message) from None


async def _record_refused(connection: Connection, user: User, action: str) -> None:
    await record(connection, user.tenant_id, action, resource=user.user_id, outcome="UNAUTHENTICATED")


def _code_required() -> Unauthenticated:
    return Unauthenticated(
        Reason.SECOND_FACTOR_REQUIRED, "this user has a second factor: send its code in totp_code as well"
    )
