"""The settings of auth, with their defaults. Times are seconds unless the name says otherwise."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

RegistrationPolicy = Literal["open", "token", "closed"]
LostRevocations = Literal["serve", "refuse"]

# Roles of people; a service has no second factor.
PEOPLE = ("owner", "admin", "member")

# The database holds to it as well: deploy/init.sql.
AUDIT_DAYS_MIN = 30


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """Settings of auth. `check()` refuses values that cannot work together."""

    # Access tokens
    issuer: str = "bossjy"
    audience: str = "bossjy"
    access_lifetime_s: int = 600
    access_leeway_s: int = 5
    verified_tokens_max: int = 20_000  # about 1.5 KiB each
    access_token_max_chars: int = 4096

    # Sessions
    session_lifetime_s: int = 30 * 86_400  # absolute: no refresh goes beyond it
    refresh_idle_s: int = 7 * 86_400  # a refresh token that is not used for so long ends
    refresh_grace_s: float = 10.0  # within it the same refresh token gives the same child
    sessions_per_user_max: int = 100  # a login beyond it ends the session that was used least recently
    ended_sessions_kept_s: int = 30 * 86_400

    # Revocation: ended sessions and new roles are told to all replicas through Redis
    revocation_poll_s: float = 0.5
    revocations_max: int = 100_000
    # When Redis has not answered for `revocation_lost_s`: `serve` accepts tokens on what this replica knows
    # (they live ten minutes at most), `refuse` answers CACHE_UNAVAILABLE.
    revocations_lost: LostRevocations = "serve"
    revocation_lost_s: float = 5.0

    # Signing keys
    key_reload_s: float = 15.0  # how often the key folder is looked at
    key_activation_s: int = 60  # a new key is published for so long before it signs

    # Passwords: the cheapest argon2id setting that OWASP ASVS 5 accepts; 15 to 30 ms of a core
    password_min_chars: int = 15
    password_max_chars: int = 256
    argon2_memory_kib: int = 12 * 1024
    argon2_time_cost: int = 3
    hash_threads: int = 0  # 0: as many as there are cores
    hash_queue_per_thread: int = 8  # beyond it a login answers OVERLOADED

    # Second factor: roles that must have one; wrong one-time codes in a row before none is accepted (NIST 800-63B-4,
    # 3.2.2: at most 100)
    second_factor_roles: frozenset[str] = frozenset()
    wrong_codes_max: int = 100

    # Failed logins: how many may be wrong at once, and after how long one more is allowed. An account has a bucket for
    # each client network and a larger one for all of them. Who empties that keeps out only networks from which nobody
    # has logged in to the account.
    account_failures: int = 10
    account_failure_s: float = 30.0
    account_failures_of_all: int = 100
    account_failure_of_all_s: float = 10.0
    known_networks_max: int = 50  # of one user; the one that was used least recently is forgotten first
    known_network_s: int = 180 * 86_400  # a network from which nobody logged in for so long is not known
    address_failures: int = 50  # 0: any number
    address_failure_s: float = 2.0
    tenant_failures: int = 500
    tenant_failure_s: float = 0.2
    throttle_local_max: int = 50_000
    throttle_redis_timeout_s: float = 0.25

    # Accounts
    registration: RegistrationPolicy = "token"
    tenant_calls_per_minute: int = 500
    users_per_tenant_max: int = 10_000

    # API keys
    api_key_lifetime_s: int = 365 * 86_400  # of a key whose request names no end
    api_key_lifetime_max_s: int = 730 * 86_400  # an end beyond it is refused
    api_key_recheck_s: float = 3.0  # a key that was ended stops within it, on every replica
    api_keys_per_tenant_max: int = 1_000

    # Audit log: of wrong logins, events in a minute for one tenant and network, and for one tenant; the others are
    # counted in one event. Events older than `audit_days` are removed; 0: none is
    audit_wrong_logins: int = 5
    audit_wrong_logins_of_tenant: int = 60
    audit_minutes_max: int = 2_000  # of tenants and networks, counted at once
    audit_days: int = 400
    audit_sweep_s: float = 3600.0  # how often, in each process; the first time after a minute at the latest

    @property
    def threads(self) -> int:
        """How many threads hash passwords."""
        return self.hash_threads or _cores()

    def check(self) -> None:
        """Raise ValueError with one line when a value cannot work."""
        self._check_passwords()
        self._check_bounds()
        if not 30 <= self.access_lifetime_s <= 3600:
            raise ValueError("auth: access_lifetime_s must lie between 30 and 3600")
        if not 0 <= self.access_leeway_s <= 30:
            raise ValueError("auth: access_leeway_s must lie between 0 and 30")
        if self.refresh_idle_s < self.access_lifetime_s or self.session_lifetime_s < self.refresh_idle_s:
            raise ValueError("auth: access_lifetime_s <= refresh_idle_s <= session_lifetime_s")
        if not 0 <= self.refresh_grace_s <= 60:
            raise ValueError("auth: refresh_grace_s must lie between 0 and 60")
        if not 60 <= self.api_key_lifetime_s <= self.api_key_lifetime_max_s:
            raise ValueError("auth: 60 <= api_key_lifetime_s <= api_key_lifetime_max_s")
        if self.audit_days and self.audit_days < AUDIT_DAYS_MIN:
            raise ValueError(f"auth: audit_days must be 0 or at least {AUDIT_DAYS_MIN}")
        if self.registration not in ("open", "token", "closed"):
            raise ValueError("auth: registration is `open`, `token` or `closed`")
        if self.revocations_lost not in ("serve", "refuse"):
            raise ValueError("auth: revocations_lost is `serve` or `refuse`")

    def _check_bounds(self) -> None:
        if self.sessions_per_user_max < 1 or not 1 <= self.wrong_codes_max <= 100:
            raise ValueError("auth: sessions_per_user_max is at least 1, wrong_codes_max lies between 1 and 100")
        if not self.second_factor_roles <= set(PEOPLE):
            raise ValueError("auth: second_factor_roles are among " + ", ".join(PEOPLE))

    def _check_passwords(self) -> None:
        if not 1 <= self.password_min_chars <= self.password_max_chars <= 1024:
            raise ValueError("auth: 1 <= password_min_chars <= password_max_chars <= 1024")
        if self.password_max_chars < 64:
            raise ValueError("auth: password_max_chars must be at least 64")
        if self.argon2_memory_kib < 7 * 1024 or self.argon2_time_cost < 1:
            raise ValueError("auth: argon2 needs at least 7168 KiB and one pass")
