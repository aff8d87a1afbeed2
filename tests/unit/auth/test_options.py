from __future__ import annotations

from typing import Any

import pytest

from bossjy_server.auth.options import AuthOptions


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
def test_what_cannot_work_is_refused_in_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="auth: ") as caught:
        AuthOptions(**wrong).check()
    assert "\n" not in str(caught.value)
