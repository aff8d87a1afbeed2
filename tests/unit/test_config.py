"""Settings: defaults, every wrong value, names that are none."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bossjy_server.auth.options import AuthOptions
from bossjy_server.config import Settings
from bossjy_server.errors import StartError
from bossjy_server.options import auth_options


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({"PATH": "/bin", "BOSSJY_PORT": " "})
    assert settings == Settings()
    assert (settings.address, settings.metrics_port) == ("127.0.0.1:18001", 18002)
    # The metrics have neither TLS nor credentials: where gRPC listens is no reason to show them there.
    assert Settings.from_environment({"BOSSJY_HOST": "0.0.0.0"}).metrics_host == "127.0.0.1"  # noqa: S104


def test_values_are_read() -> None:
    settings = Settings.from_environment(
        {
            "DATABASE_URL": "postgresql://u:p@h/d",
            "REDIS_URL": "rediss://h",
            "BOSSJY_DATA_DIR": "/var/lib/bossjy",
            "BOSSJY_HOST": "::1",
            "BOSSJY_DATABASE_ROLE": "phones",
            "BOSSJY_PORT": "19001",
            "BOSSJY_REFLECTION": "ON",
            "BOSSJY_TRACE_RATIO": "0.5",
            "BOSSJY_RUNNING_CALLS": "phone=3, bulk=2",
            "BOSSJY_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
            "BOSSJY_LOGIN_FAILURES_PER_ADDRESS": "0",
        }
    )
    assert settings.address == "[::1]:19001"
    assert settings.data_dir == Path("/var/lib/bossjy")
    assert settings.database_role == "phones"
    assert settings.reflection
    assert settings.trace_ratio == 0.5
    assert settings.running_calls == (("phone", 3), ("bulk", 2))
    assert settings.trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")
    assert settings.address_failures == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BOSSJY_PORT", "0", "BOSSJY_PORT must be a whole number from 1 to 65535"),
        ("BOSSJY_PORT", "eighty", "BOSSJY_PORT must be a whole number"),
        ("BOSSJY_PORT", "１８", "BOSSJY_PORT must be a whole number"),
        ("BOSSJY_TRACE_RATIO", "2", "BOSSJY_TRACE_RATIO must be a number from 0 to 1"),
        ("BOSSJY_TRACE_RATIO", "nan", "BOSSJY_TRACE_RATIO must be a number"),
        ("BOSSJY_TRACE_RATIO", "x", "BOSSJY_TRACE_RATIO must be a number"),
        ("BOSSJY_REFLECTION", "maybe", "BOSSJY_REFLECTION must be `on` or `off`"),
        ("BOSSJY_REGISTRATION", "all", "BOSSJY_REGISTRATION must be one of `open`, `token`, `closed`"),
        ("BOSSJY_HOST", "a b", "BOSSJY_HOST must be a host name"),
        (
            "DATABASE_URL",
            "mysql://u:secret@h/d",
            "DATABASE_URL must be a URL that begins with `postgresql://`",
        ),
        ("DATABASE_URL", "postgresql://u:secret@[::1/d", "DATABASE_URL must be a URL that begins with"),
        ("BOSSJY_TLS_KEY", "key.pem", "BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY must be set together"),
        ("BOSSJY_TLS_CLIENT_CA", "ca.pem", "BOSSJY_TLS_CLIENT_CA needs BOSSJY_TLS_CERTIFICATE"),
        ("BOSSJY_RUNNING_CALLS", "phone=0", "BOSSJY_RUNNING_CALLS must be `CLASS=NUMBER,…`"),
        ("BOSSJY_QUEUED_CALLS", "calls=1", "BOSSJY_QUEUED_CALLS must be `CLASS=NUMBER,…`"),
        ("BOSSJY_AUDIT_DAYS", "29", "BOSSJY_AUDIT_DAYS must be 0 or a whole number from 30 to 36500"),
        ("BOSSJY_DATABASE_ROLE", "pg_monitor", "BOSSJY_DATABASE_ROLE must be a name of a role"),
        ("DATABASE_ADMIN_URL", "postgresql://u:secret@h/d", "DATABASE_ADMIN_URL needs DATABASE_URL"),
        ("BOSSJY_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "BOSSJY_TRUSTED_PROXIES must be a list of networks such as"),
        ("BOSSJY_TRUSTED_PROXIES", "0.0.0.0/0", "none of them of all addresses"),
        ("BOSSJY_PROT", "1", "BOSSJY_PROT is no setting"),
        ("BOSSJY_PASSWORD_MIN_CHARS", "7", "BOSSJY_PASSWORD_MIN_CHARS must be a whole number from 8 to 1024"),
        ("BOSSJY_PASSWORD_MIN_CHARS", "300", "BOSSJY_PASSWORD_MIN_CHARS must be at most BOSSJY_PASSWORD_MAX_CHARS"),
        ("BOSSJY_REFRESH_IDLE_S", "300", "BOSSJY_REFRESH_IDLE_S must be at least BOSSJY_ACCESS_LIFETIME_S"),
        ("BOSSJY_SESSION_LIFETIME_S", "3600", "BOSSJY_SESSION_LIFETIME_S must be at least BOSSJY_REFRESH_IDLE_S"),
        (
            "BOSSJY_API_KEY_LIFETIME_MAX_S",
            "3600",
            "BOSSJY_API_KEY_LIFETIME_S must be at most BOSSJY_API_KEY_LIFETIME_MAX_S",
        ),
        ("BOSSJY_TOKEN_ISSUER", "a b", "BOSSJY_TOKEN_ISSUER must be 1 to 200 printable ASCII characters"),
        ("BOSSJY_SECOND_FACTOR_ROLES", "owner,boss", "BOSSJY_SECOND_FACTOR_ROLES must be `ROLE,…` of the roles"),
        ("BOSSJY_SECOND_FACTOR_ROLES", "service", "BOSSJY_SECOND_FACTOR_ROLES must be `ROLE,…` of the roles"),
        ("BOSSJY_SECOND_FACTOR_WRONG_CODES", "101", "must be a whole number from 1 to 100"),
        ("BOSSJY_REVOCATIONS_LOST", "maybe", "BOSSJY_REVOCATIONS_LOST must be one of `serve`, `refuse`"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(name: str, value: str, says: str) -> None:
    with pytest.raises(StartError) as caught:
        Settings.from_environment({name: value})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_settings_of_auth_become_its_options() -> None:
    settings = Settings.from_environment(
        {
            "BOSSJY_PASSWORD_MIN_CHARS": "8",
            "BOSSJY_PASSWORD_MAX_CHARS": "64",
            "BOSSJY_TOKEN_ISSUER": "https://bossjy.example.com",
            "BOSSJY_TOKEN_AUDIENCE": "contacts",
            "BOSSJY_ACCESS_LIFETIME_S": "60",
            "BOSSJY_REFRESH_IDLE_S": "120",
            "BOSSJY_SESSION_LIFETIME_S": "180",
            "BOSSJY_REFRESH_GRACE_S": "1.5",
            "BOSSJY_SESSIONS_PER_USER": "3",
            "BOSSJY_API_KEY_LIFETIME_S": "3600",
            "BOSSJY_API_KEY_LIFETIME_MAX_S": "7200",
            "BOSSJY_SECOND_FACTOR_ROLES": "owner, admin,owner",
            "BOSSJY_SECOND_FACTOR_WRONG_CODES": "10",
            "BOSSJY_REVOCATIONS_LOST": "refuse",
        }
    )
    options = auth_options(settings)
    options.check()
    assert options == AuthOptions(
        tenant_calls_per_minute=500,
        password_min_chars=8,
        password_max_chars=64,
        issuer="https://bossjy.example.com",
        audience="contacts",
        access_lifetime_s=60,
        refresh_idle_s=120,
        session_lifetime_s=180,
        refresh_grace_s=1.5,
        sessions_per_user_max=3,
        api_key_lifetime_s=3600,
        api_key_lifetime_max_s=7200,
        second_factor_roles=frozenset({"owner", "admin"}),
        wrong_codes_max=10,
        revocations_lost="refuse",
    )
    assert auth_options(Settings()) == AuthOptions()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(StartError, match="BOSSJY_PORT.*BOSSJY_REFLECTION.*BOSSJY_X"):
        Settings.from_environment({"BOSSJY_PORT": "x", "BOSSJY_REFLECTION": "x", "BOSSJY_X": "1"})


def test_names_of_the_tool_are_let_pass() -> None:
    assert Settings.from_environment({"BOSSJY_TOKEN": "x", "BOSSJY_TARGET": "y"}) == Settings()


def test_every_setting_is_in_the_table() -> None:
    table = Settings.table()
    assert len(table) == len(fields(Settings))
    assert all(name.isupper() and about.endswith(".") for name, _, about in table)
