"""Options of auth, configurable and fixed. Times are in seconds unless the name says otherwise."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import out_of_bounds, setting

RegistrationPolicy = Literal["open", "token", "closed"]
LostRevocations = Literal["serve", "refuse"]

# Roles of people; a service has no second factor.
PEOPLE = ("owner", "admin", "member")

# The database enforces it as well: deploy/init.sql.
AUDIT_DAYS_MIN = 30
_DAY_S = 86_400


def kept_days(text: str) -> int:
    """Days to keep the audit log; 0: no limit."""
    days = read.whole(0, 36_500)(text)
    if 0 < days < AUDIT_DAYS_MIN:
        raise ValueError(f"0 or a whole number from {AUDIT_DAYS_MIN} to 36500")
    return days


def roles(text: str) -> frozenset[str]:
    """Roles of people, `owner,admin`."""
    names = frozenset(part.strip() for part in text.split(","))
    if not names <= set(PEOPLE):
        raise ValueError("`ROLE,…` of the roles " + ", ".join(PEOPLE))
    return names


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """Settings of auth. `check()` refuses values that cannot work together."""

    # Access tokens
    issuer: str = setting(
        "BOSSJY_TOKEN_ISSUER",
        "bossjy",
        read.claim,
        "`iss` of access tokens. A change invalidates older tokens; sessions continue with a refresh.",
    )
    audience: str = setting(
        "BOSSJY_TOKEN_AUDIENCE",
        "bossjy",
        read.claim,
        "`aud` of access tokens. A change invalidates tokens as for the issuer.",
    )
    access_lifetime_s: int = setting(
        "BOSSJY_ACCESS_LIFETIME_S",
        600,
        read.whole(30, 3600),
        "Lifetime of an access token in seconds. After a restart with a lower value, longer-lived tokens are invalid.",
    )
    access_leeway_s: int = 5
    verified_tokens_max: int = 20_000  # about 1.5 KiB each
    access_token_max_chars: int = 4096

    # Sessions
    session_lifetime_s: int = setting(
        "BOSSJY_SESSION_LIFETIME_S",
        30 * _DAY_S,
        read.whole(60, 400 * _DAY_S),
        "Lifetime of a session in seconds, regardless of refreshes. Applies to new sessions.",
    )
    refresh_idle_s: int = setting(
        "BOSSJY_REFRESH_IDLE_S",
        7 * _DAY_S,
        read.whole(60, 400 * _DAY_S),
        "Seconds without a refresh after which a session ends.",
    )
    refresh_grace_s: float = setting(
        "BOSSJY_REFRESH_GRACE_S",
        10.0,
        read.decimal(0, 60),
        "Seconds in which a used refresh token returns the same answer again, for parallel and repeated calls.",
    )
    sessions_per_user_max: int = setting(
        "BOSSJY_SESSIONS_PER_USER",
        100,
        read.whole(1, 10_000),
        "Sessions of one user at once. A login beyond the limit ends the least recently used one.",
    )
    ended_sessions_kept_s: int = 30 * 86_400

    # Revocation: Redis carries ended sessions and new roles to all replicas
    revocation_poll_s: float = 0.5
    revocations_max: int = 100_000
    # While Redis has not answered for `revocation_lost_s`, `serve` accepts tokens by this replica's own knowledge (they
    # live at most ten minutes), `refuse` answers CACHE_UNAVAILABLE.
    revocations_lost: LostRevocations = setting(
        "BOSSJY_REVOCATIONS_LOST",
        "serve",
        read.choice("serve", "refuse"),
        "While Redis has not answered for 5 s: accept access tokens by this server's own knowledge, or refuse them.",
    )
    revocation_lost_s: float = 5.0

    # Signing keys
    key_reload_s: float = setting(
        "BOSSJY_KEY_RELOAD_S", 15.0, read.decimal(0.1, 3600), "Seconds between reads of the folder of signing keys."
    )
    key_activation_s: int = setting(
        "BOSSJY_KEY_ACTIVATION_S",
        60,
        read.whole(0, 86_400),
        "Seconds for which a new key is published before it signs; longer than BOSSJY_KEY_RELOAD_S.",
    )

    # Passwords: the cheapest argon2id setting that OWASP ASVS 5 accepts; 15 to 30 ms of a core
    password_min_chars: int = setting(
        "BOSSJY_PASSWORD_MIN_CHARS",
        15,
        read.whole(8, 1024),
        "Minimum length of a new password. NIST 800-63B-4 requires 15 without a second factor, 8 with one.",
    )
    password_max_chars: int = setting(
        "BOSSJY_PASSWORD_MAX_CHARS", 256, read.whole(64, 1024), "Maximum length of a new password."
    )
    argon2_memory_kib: int = 12 * 1024
    argon2_time_cost: int = 3
    hash_threads: int = 0  # 0: the number of cores
    hash_queue_per_thread: int = 8  # beyond this a login answers OVERLOADED

    # Second factor: roles that must have one; consecutive wrong one-time codes before all are refused (NIST 800-63B-4,
    # 3.2.2: at most 100)
    second_factor_roles: frozenset[str] = setting(
        "BOSSJY_SECOND_FACTOR_ROLES",
        frozenset(),
        roles,
        "Roles whose users need a second factor: `owner,admin`. Without one a session has no scopes. If empty, none.",
    )
    wrong_codes_max: int = setting(
        "BOSSJY_SECOND_FACTOR_WRONG_CODES",
        100,
        read.whole(1, 100),
        "Consecutive wrong one-time codes until all are refused. A recovery code or removal of the factor resets it.",
    )

    # Failed logins: the number that may fail in a burst, and the time after which one more may. An account has a bucket
    # for each client network and a larger one for all of them. An attacker who empties the larger one blocks only
    # networks from which nobody has logged in to the account.
    account_failures: int = setting(
        "BOSSJY_LOGIN_FAILURES_PER_ACCOUNT",
        10,
        read.whole(1, 10**6),
        "Burst of wrong logins to one account from one network; then one in 30 seconds.",
    )
    account_failure_s: float = 30.0
    account_failures_of_all: int = setting(
        "BOSSJY_LOGIN_FAILURES_PER_ACCOUNT_OF_ALL",
        100,
        read.whole(1, 10**6),
        "Burst of wrong logins to one account from all networks; then one in 10 seconds.",
    )
    account_failure_of_all_s: float = 10.0
    known_networks_max: int = 50  # of one user; the least recently used is forgotten first
    known_network_s: int = 180 * 86_400  # a network without a login for this long is not known
    address_failures: int = setting(
        "BOSSJY_LOGIN_FAILURES_PER_ADDRESS",
        50,
        read.whole(0, 10**6),
        "Burst of wrong logins from one network; then one in 2 seconds. 0: no limit.",
    )
    address_failure_s: float = 2.0
    tenant_failures: int = setting(
        "BOSSJY_LOGIN_FAILURES_PER_TENANT",
        500,
        read.whole(1, 10**6),
        "Burst of wrong logins to one tenant; then five a second.",
    )
    tenant_failure_s: float = 0.2
    throttle_local_max: int = 50_000
    throttle_redis_timeout_s: float = 0.25

    # Accounts
    registration: RegistrationPolicy = setting(
        "BOSSJY_REGISTRATION",
        "token",
        read.choice("open", "token", "closed"),
        "Registration of tenants: by anybody, by the holder of a registration token, by nobody.",
    )
    tenant_calls_per_minute: int = setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_TENANT",
        60_000,
        read.whole(0, 10**9),
        "Calls per minute and class of methods for a new tenant. 0: no limit.",
    )
    users_per_tenant_max: int = 10_000

    # API keys
    api_key_lifetime_s: int = setting(
        "BOSSJY_API_KEY_LIFETIME_S",
        365 * _DAY_S,
        read.whole(60, 100 * 365 * _DAY_S),
        "Lifetime in seconds of an API key without a requested expiry.",
    )
    api_key_lifetime_max_s: int = setting(
        "BOSSJY_API_KEY_LIFETIME_MAX_S",
        730 * _DAY_S,
        read.whole(60, 100 * 365 * _DAY_S),
        "Longest lifetime in seconds of a new API key.",
    )
    api_key_recheck_s: float = 3.0  # a key that was ended stops working within this time, on every replica
    api_keys_per_tenant_max: int = 1_000

    # Audit log: wrong logins recorded as single events per minute for one tenant and network, and for one tenant; the
    # others are counted in one event. Events older than `audit_days` are removed; 0: none is
    audit_wrong_logins: int = 5
    audit_wrong_logins_of_tenant: int = 60
    audit_minutes_max: int = 2_000  # of tenants and networks, counted simultaneously
    audit_days: int = setting(
        "BOSSJY_AUDIT_DAYS", 400, kept_days, "Days after which events of the audit log are removed; 0: never."
    )
    audit_sweep_s: float = 3600.0  # in each process; the first time after a minute at the latest

    @property
    def threads(self) -> int:
        """The number of threads that hash passwords."""
        return self.hash_threads or _cores()

    def faults(self) -> list[str]:
        """Faults between these settings, each a line that names them."""
        faults = []
        if self.password_min_chars > self.password_max_chars:
            faults.append("BOSSJY_PASSWORD_MIN_CHARS must be at most BOSSJY_PASSWORD_MAX_CHARS")
        if self.refresh_idle_s < self.access_lifetime_s:
            faults.append("BOSSJY_REFRESH_IDLE_S must be at least BOSSJY_ACCESS_LIFETIME_S")
        if self.session_lifetime_s < self.refresh_idle_s:
            faults.append("BOSSJY_SESSION_LIFETIME_S must be at least BOSSJY_REFRESH_IDLE_S")
        if self.api_key_lifetime_s > self.api_key_lifetime_max_s:
            faults.append("BOSSJY_API_KEY_LIFETIME_S must be at most BOSSJY_API_KEY_LIFETIME_MAX_S")
        return faults

    def check(self) -> None:
        """Raise ValueError with one line if a value is not usable."""
        faults = [*out_of_bounds(self), *self.faults()]
        if not 0 <= self.access_leeway_s <= 30:
            faults.append("access_leeway_s must be between 0 and 30")
        if self.argon2_memory_kib < 7 * 1024 or self.argon2_time_cost < 1:
            faults.append("argon2 needs at least 7168 KiB and one pass")
        if faults:
            raise ValueError("auth: " + "; ".join(faults))
