"""One-time codes as a second factor (RFC 6238), and recovery codes for the day the device is lost.

The secret is kept sealed with AES-256-GCM under a key that is derived from the service's secret and not in the
database, bound to its user. Recovery codes are kept as HMACs under the same secret. Each code works once: the time step
of the last one is kept, and none of it or before it is taken again. Wrong codes count as wrong passwords do.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bossjy_server.auth import opaque, second_factor_store, store
from bossjy_server.auth.keys import Keys
from bossjy_server.auth.passwords import Passwords
from bossjy_server.auth.records import User, moment
from bossjy_server.auth.throttle import Throttle
from bossjy_server.context import Caller
from bossjy_server.errors import NotFound, Reason, Unauthenticated
from bossjy_server.storage.audit import record
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Connection, Database

_STEP_S = 30
_AROUND = (0, -1, 1)  # steps that are taken: the clock of a device may be half a minute off
_DIGITS = 6
_NONCE_BYTES = 12
_RECOVERY_CODES = 10
_RECOVERY_CHARS = 16  # 80 bits


class SecondFactor:
    """Turns the second factor of a user on and off, and checks its codes."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        passwords: Passwords,
        throttle: Throttle,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock
        self._cipher = AESGCM(keys.mac("second-factor-seal"))

    async def begin(self, caller: Caller, password: str, address: str) -> tuple[str, str]:
        """A new secret (base32) that counts once it is confirmed, and its `otpauth` URI.

        Raises Unauthenticated(LOGIN_REFUSED) for a wrong password; ResourceExhausted: LOGIN_THROTTLED, OVERLOADED.
        """
        user = await self._checked(caller, password, address)
        secret = pyotp.random_base32()
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            sealed = self._seal(caller.tenant_id, caller.user_id, secret)
            now = moment(self._clock())
            await second_factor_store.keep_pending(connection, caller.tenant_id, caller.user_id, sealed, now)
        return secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name="BossJy")

    async def confirm(self, caller: Caller, code: str, address: str) -> list[str]:
        """Turn the second factor on with a code of the new secret; gives the recovery codes.

        Raises NotFound when `begin` was not called, Unauthenticated(LOGIN_REFUSED) for a wrong code,
        ResourceExhausted(LOGIN_THROTTLED).
        """
        tenant_id, user_id = caller.tenant_id, caller.user_id
        codes = [opaque.random_id(_RECOVERY_CHARS) for _ in range(_RECOVERY_CODES)]
        macs = [self._mac(tenant_id, user_id, one) for one in codes]
        async with (
            self._throttle.attempt(tenant_id, user_id, address),
            self._database.tenant(tenant_id) as connection,
        ):
            await hold_caller(connection, caller, changes_authority=True)
            factor = await second_factor_store.find(connection, tenant_id, user_id)
            if factor is None or factor.pending is None:
                raise NotFound("second_factor", message="no second factor was begun: call BeginSecondFactor first")
            step = self._step_of(self._open(tenant_id, user_id, factor.pending), code)
            now = moment(self._clock())
            if step is None or not await second_factor_store.confirm(
                connection, tenant_id, user_id, factor.pending, step=step, macs=macs, now=now
            ):
                raise Unauthenticated(Reason.LOGIN_REFUSED, "the code is wrong: check the clock of the device")
            await record(connection, tenant_id, "auth.confirm_second_factor", resource=user_id)
        return ["-".join(one[at : at + 4] for at in range(0, _RECOVERY_CHARS, 4)) for one in codes]

    async def remove(self, caller: Caller, password: str, address: str) -> None:
        """Turn the second factor off. Raises as `begin` does."""
        await self._checked(caller, password, address)
        async with self._database.tenant(caller.tenant_id) as connection:
            await hold_caller(connection, caller, changes_authority=True)
            now = moment(self._clock())
            await second_factor_store.remove(connection, caller.tenant_id, caller.user_id, now)
            await record(connection, caller.tenant_id, "auth.remove_second_factor", resource=caller.user_id)

    async def use(self, connection: Connection, user: User, code: str) -> bool:
        """Use up a one-time or recovery code at a login; false if it does not hold. Inside the login's transaction."""
        plain = code.replace(" ", "").replace("-", "").lower()
        if len(plain) == _DIGITS and plain.isascii() and plain.isdigit():
            factor = await second_factor_store.find(connection, user.tenant_id, user.user_id)
            if factor is None or factor.secret is None:
                return False
            step = self._step_of(self._open(user.tenant_id, user.user_id, factor.secret), plain)
            return step is not None and await second_factor_store.use_step(
                connection, user.tenant_id, user.user_id, step
            )
        mac = self._mac(user.tenant_id, user.user_id, plain)
        now = moment(self._clock())
        return await second_factor_store.use_recovery_code(connection, user.tenant_id, user.user_id, mac, now)

    async def _checked(self, caller: Caller, password: str, address: str) -> User:
        with self._passwords.place() as place:
            async with self._throttle.attempt(caller.tenant_id, caller.user_id, address):
                async with self._database.tenant(caller.tenant_id) as connection:
                    account = await store.account(connection, caller.tenant_id, caller.user_id)
                if not (await place.verify(account.password_hash, password)).right:
                    raise Unauthenticated(Reason.LOGIN_REFUSED, "the password is wrong")
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
            message = "the second factor was kept under another key of this server: ask its operator"
            raise Unauthenticated(Reason.LOGIN_REFUSED, message) from None
