from __future__ import annotations

from typing import Any

import pytest

from bossjy_server.auth.options import AuthOptions, kept_days, roles


def test_the_defaults_hold() -> None:
    AuthOptions().check()
    assert AuthOptions().threads >= 1
    assert AuthOptions(hash_threads=3).threads == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"password_min_chars": 0},
        {"password_max_chars": 63},
        {"password_max_chars": 2000},
        {"access_lifetime_s": 5},
        {"access_leeway_s": 60},
        {"refresh_idle_s": 60},
        {"session_lifetime_s": 3600},
        {"refresh_grace_s": 100.0},
        {"argon2_memory_kib": 1024},
        {"audit_days": 29},
        {"api_key_lifetime_s": 10},
        {"api_key_lifetime_max_s": 86_400},
        {"registration": "maybe"},
        {"sessions_per_user_max": 0},
        {"wrong_codes_max": 0},
        {"wrong_codes_max": 101},
        {"second_factor_roles": frozenset({"service"})},
        {"revocations_lost": "maybe"},
    ],
)
def test_unusable_values_are_refused_in_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="auth: ") as caught:
        AuthOptions(**wrong).check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password_min_chars": 300}, "BOSSJY_PASSWORD_MIN_CHARS must be at most BOSSJY_PASSWORD_MAX_CHARS"),
        ({"refresh_idle_s": 60}, "BOSSJY_REFRESH_IDLE_S must be at least BOSSJY_ACCESS_LIFETIME_S"),
        ({"session_lifetime_s": 3600}, "BOSSJY_SESSION_LIFETIME_S must be at least BOSSJY_REFRESH_IDLE_S"),
        ({"api_key_lifetime_max_s": 60}, "BOSSJY_API_KEY_LIFETIME_S must be at most BOSSJY_API_KEY_LIFETIME_MAX_S"),
    ],
)
def test_contradictions_name_their_settings(wrong: dict[str, Any], says: str) -> None:
    assert AuthOptions(**wrong).faults() == [says]
    assert AuthOptions().faults() == []


def test_days_of_the_audit_log() -> None:
    assert [kept_days(text) for text in ("0", "30", "36500")] == [0, 30, 36_500]
    for text in ("1", "29"):
        with pytest.raises(ValueError, match="0 or a whole number from 30 to 36500"):
            kept_days(text)


def test_roles_of_people() -> None:
    assert roles("owner, admin,owner") == {"owner", "admin"}
    for text in ("service", "owner,boss", ""):
        with pytest.raises(ValueError, match="of the roles owner, admin, member"):
            roles(text)


def test_values_made_in_code_have_the_bounds_of_the_settings() -> None:
    with pytest.raises(ValueError, match="key_reload_s must be a number from 0.1 to 3600") as caught:
        AuthOptions(key_reload_s=0.05, access_lifetime_s=5).check()
    assert "access_lifetime_s must be a whole number from 30 to 3600" in str(caught.value)
