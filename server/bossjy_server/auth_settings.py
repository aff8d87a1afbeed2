"""The settings of passwords, tokens, sessions, API keys and second factors: a part of `config.Settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Settings of auth, with their defaults."""

    password_min_chars: int = setting(
        "BOSSJY_PASSWORD_MIN_CHARS",
        15,
        read.whole(8, 1024),
        "Fewest characters of a new password. NIST 800-63B-4 asks for 15 without a second factor, 8 with one.",
    )
    password_max_chars: int = setting(
        "BOSSJY_PASSWORD_MAX_CHARS", 256, read.whole(64, 1024), "Most characters of a new password."
    )
    token_issuer: str = setting(
        "BOSSJY_TOKEN_ISSUER",
        "bossjy",
        read.claim,
        "`iss` of access tokens. Tokens of another issuer end when it changes; sessions continue with a refresh.",
    )
    token_audience: str = setting(
        "BOSSJY_TOKEN_AUDIENCE", "bossjy", read.claim, "`aud` of access tokens. A change ends tokens as for the issuer."
    )
    access_lifetime_s: int = setting(
        "BOSSJY_ACCESS_LIFETIME_S",
        600,
        read.whole(30, 3600),
        "Lifetime of an access token in seconds. A lower value ends longer-lived tokens at the restart.",
    )
    refresh_idle_s: int = setting(
        "BOSSJY_REFRESH_IDLE_S",
        7 * _DAY_S,
        read.whole(60, 400 * _DAY_S),
        "A session ends when it is not refreshed for so many seconds.",
    )
    session_lifetime_s: int = setting(
        "BOSSJY_SESSION_LIFETIME_S",
        30 * _DAY_S,
        read.whole(60, 400 * _DAY_S),
        "A session ends after so many seconds, whatever is refreshed. It counts for new sessions.",
    )
    refresh_grace_s: float = setting(
        "BOSSJY_REFRESH_GRACE_S",
        10.0,
        read.decimal(0, 60),
        "Within so many seconds a used refresh token gives the same answer again, for parallel and repeated calls.",
    )
    sessions_per_user: int = setting(
        "BOSSJY_SESSIONS_PER_USER",
        100,
        read.whole(1, 10_000),
        "Sessions of one user at once; a login beyond them ends the one that was used least recently.",
    )
    api_key_lifetime_s: int = setting(
        "BOSSJY_API_KEY_LIFETIME_S",
        365 * _DAY_S,
        read.whole(60, 100 * 365 * _DAY_S),
        "Lifetime in seconds of an API key whose maker names no end.",
    )
    api_key_lifetime_max_s: int = setting(
        "BOSSJY_API_KEY_LIFETIME_MAX_S",
        730 * _DAY_S,
        read.whole(60, 100 * 365 * _DAY_S),
        "Longest lifetime in seconds of a new API key.",
    )
    second_factor_roles: tuple[str, ...] = setting(
        "BOSSJY_SECOND_FACTOR_ROLES",
        (),
        read.roles,
        "Roles whose users need a second factor: `owner,admin`. Without it their sessions have no scopes. Empty: none.",
    )
    wrong_codes_max: int = setting(
        "BOSSJY_SECOND_FACTOR_WRONG_CODES",
        100,
        read.whole(1, 100),
        "Wrong one-time codes in a row; then none is accepted until a recovery code is used or the factor is removed.",
    )
    revocations_lost: Literal["serve", "refuse"] = setting(
        "BOSSJY_REVOCATIONS_LOST",
        "serve",
        read.choice("serve", "refuse"),
        "While Redis cannot be read for 5 s: accept access tokens on what this server knows, or refuse them.",
    )

    def auth_faults(self) -> list[str]:
        """What is wrong between these settings, each in a line that names them."""
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
