"""Settings: defaults, every wrong value, names that are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from buf.validate import validate_pb2

from bossjy.imports.v1 import import_pb2
from bossjy_server.auth.options import AuthOptions
from bossjy_server.config import Settings, listed, read_settings
from bossjy_server.errors import StartError
from bossjy_server.imports.options import PARTS_MAX
from bossjy_server.setting_list import show_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({"PATH": "/bin", "BOSSJY_PORT": " "})
    assert settings == Settings()
    assert (settings.server.address, settings.metrics.port) == ("127.0.0.1:18001", 18002)
    # The metrics have neither TLS nor credentials: where gRPC listens is no reason to show them there.
    assert read_settings({"BOSSJY_HOST": "0.0.0.0"}).metrics.host == "127.0.0.1"  # noqa: S104


def test_values_are_read() -> None:
    settings = read_settings(
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
    assert settings.server.address == "[::1]:19001"
    assert settings.process.data_dir == Path("/var/lib/bossjy")
    assert settings.database.role == "phones"
    assert settings.server.reflection
    assert settings.traces.ratio == 0.5
    assert settings.limits.running == {"phone": 3, "bulk": 2}
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")
    assert settings.auth.address_failures == 0


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
        ("BOSSJY_PROT", "1", "BOSSJY_PROT is no setting (did you mean BOSSJY_PORT?)"),
        ("BOSSJY_ZEBRA", "1", "BOSSJY_ZEBRA is no setting (`bossjy-server settings` lists them)"),
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
        read_settings({name: value})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_settings_of_auth_become_its_options() -> None:
    settings = read_settings(
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
    options = settings.auth
    options.check()
    assert options == AuthOptions(
        tenant_calls_per_minute=60_000,
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
    assert Settings().auth == AuthOptions()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(StartError, match="BOSSJY_PORT.*BOSSJY_REFLECTION.*BOSSJY_X"):
        read_settings({"BOSSJY_PORT": "x", "BOSSJY_REFLECTION": "x", "BOSSJY_X": "1"})


def test_names_of_the_tool_are_let_pass() -> None:
    assert read_settings({"BOSSJY_TOKEN": "x", "BOSSJY_TARGET": "y"}) == Settings()


def test_every_setting_is_listed() -> None:
    rows = listed(Settings())
    assert len({row.name for row in rows}) == len(rows) > 80
    assert len({(row.table, row.key) for row in rows}) == len(rows)
    assert all(row.name.isupper() and row.about.endswith(".") for row in rows)
    assert {row.origin for row in rows} == {"default"}
    assert all(row.value == row.default for row in rows)


def test_a_default_is_a_value_that_its_reader_accepts() -> None:
    for row in listed(Settings()):
        if row.default:
            shown = {one.name: one.value for one in listed(read_settings({row.name: row.default}))}
            assert shown[row.name] == row.default


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bossjy.toml"
    file.write_text(
        """
        [process]
        workers = 2
        [server]
        port = 19001
        host = "::1"
        reflection = true
        trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
        [limits]
        running = { phone = 3, bulk = 2 }
        [traces]
        ratio = 0.5
        """
    )
    environment = {"BOSSJY_CONFIG": str(file), "BOSSJY_PORT": "19002", "BOSSJY_WORKERS": "3"}
    settings = read_settings(environment, named={"BOSSJY_WORKERS": "4"})
    assert settings.process.workers == 4
    assert settings.server.address == "[::1]:19002"
    assert settings.server.reflection
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")
    assert settings.limits.running == {"phone": 3, "bulk": 2}
    assert settings.traces.ratio == 0.5
    origins = {row.name: row.origin for row in listed(settings)}
    assert origins["BOSSJY_WORKERS"] == "command line"
    assert origins["BOSSJY_PORT"] == "environment"
    assert origins["BOSSJY_HOST"] == str(file)
    assert origins["BOSSJY_METRICS_PORT"] == "default"
    assert read_settings({}, file=str(file)).server.port == 19001


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[server]\nprot = 1", "[server] has no setting prot; did you mean port?"),
        (b"[server]\nzebra = 1", "[server] has no setting zebra"),
        (b"[sever]\nport = 1", "[sever] is not a table of settings; the tables are auth, database"),
        (b"port = 1", "[port] is not a table of settings"),
        (b"[server]\nport = 0", "BOSSJY_PORT must be a whole number from 1 to 65535"),
        (b"[server]\nport = 1979-05-27", "[server] port must be a text, a number, on or off, or a list"),
        (b"[server]\ntrusted_proxies = [1979-05-27]", "[server] trusted_proxies must be a text"),
        (b"[server", "cannot be read: Expected ']'"),
        (b"\xff", "cannot be read: it is not UTF-8"),
        (b"#" * (1024 * 1024 + 1), "cannot be read: it has more than 1048576 bytes"),
    ],
    ids=str,
)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "bossjy.toml"
    file.write_bytes(content)
    with pytest.raises(StartError) as caught:
        read_settings({}, file=str(file))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(StartError, match="/nowhere/bossjy.toml cannot be read: No such file or directory"):
        read_settings({"BOSSJY_CONFIG": "/nowhere/bossjy.toml"})


def test_a_secret_is_read_from_a_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:hidden@h/d\n")
    (tmp_path / "key").write_text("Bearer hidden\n")
    environment = {"DATABASE_URL_FILE": str(tmp_path / "url"), "BOSSJY_LOOKUP_SECRET_FILE": str(tmp_path / "key")}
    settings = read_settings(environment)
    assert settings.database.url == "postgresql://u:hidden@h/d"
    assert settings.lookup.secret == "Bearer hidden"
    rows = {row.name: row for row in listed(settings)}
    assert (rows["DATABASE_URL"].value, rows["DATABASE_URL"].origin) == ("(set)", str(tmp_path / "url"))
    assert "hidden" not in repr(settings) + repr(rows)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file or directory"), (b" \n", "the file is empty"), (b"\xff\xfe", "it is not UTF-8")],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(StartError, match="BOSSJY_LOOKUP_SECRET_FILE") as caught:
        read_settings({"BOSSJY_LOOKUP_SECRET_FILE": str(tmp_path / "key")})
    assert says in str(caught.value)


def test_a_secret_has_one_source(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hidden")
    with pytest.raises(StartError, match="set one of BOSSJY_LOOKUP_SECRET and BOSSJY_LOOKUP_SECRET_FILE") as caught:
        read_settings({"BOSSJY_LOOKUP_SECRET": "hidden", "BOSSJY_LOOKUP_SECRET_FILE": str(tmp_path / "key")})
    assert "hidden" not in str(caught.value)


def test_the_number_of_parts_is_that_of_the_contract() -> None:
    rule = import_pb2.ImportSpec.DESCRIPTOR.fields_by_name["part_count"].GetOptions().Extensions[validate_pb2.field]
    assert rule.int32.lte == PARTS_MAX


def test_the_command_shows_every_setting(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOSSJY_PORT", "19001")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden@h/d")
    assert show_settings(read_settings(dict(os.environ)), as_json=False) == 0
    text = capsys.readouterr().out
    assert "BOSSJY_PORT=19001    (environment; default: 18001)\n    port: Port of gRPC.\n" in text
    assert "[database]\nDATABASE_URL=(set)    (environment; default: empty)\n" in text
    assert show_settings(read_settings(dict(os.environ)), as_json=True) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == [row.name for row in listed(Settings())]
    assert "hidden" not in text + str(rows)


@pytest.mark.parametrize(
    "command",
    [
        ("bossjy_server.cli", "settings"),
        ("bossjy_server.cli", "--version"),
        ("bossjy_server.cli", "--help"),
        ("bossjy_client.cli", "--version"),
        ("bossjy_client.cli", "--help"),
    ],
)
def test_a_reader_of_the_output_may_leave(command: tuple[str, str]) -> None:
    """No reader from the start: each write fails, and so does the last flush of a short output."""
    module, argument = command
    program = f"import sys; from {module} import main; sys.exit(main())"
    reading, writing = os.pipe()
    os.close(reading)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", program, argument],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=buffered,
        )
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_variables_of_an_orchestrator_are_no_settings() -> None:
    links = {
        "BOSSJY_SERVICE_HOST": "10.96.0.7",
        "BOSSJY_SERVICE_PORT": "18001",
        "BOSSJY_SERVICE_PORT_GRPC": "18001",
        "BOSSJY_PORT": "tcp://10.96.0.7:18001",
        "BOSSJY_PORT_18001_TCP": "tcp://10.96.0.7:18001",
        "BOSSJY_PORT_18001_TCP_PROTO": "tcp",
        "BOSSJY_PORT_18001_TCP_PORT": "18001",
        "BOSSJY_PORT_18001_TCP_ADDR": "10.96.0.7",
        "BOSSJY_METRICS_SERVICE_HOST": "10.96.0.8",
        "BOSSJY_METRICS_PORT": "tcp://[fd00::8]:18002",
        "BOSSJY_METRICS_PORT_18002_TCP": "tcp://[fd00::8]:18002",
    }
    settings = read_settings(links)
    assert settings == Settings()
    assert not settings.origins
    with pytest.raises(StartError, match="BOSSJY_PORTS is no setting"):
        read_settings(links | {"BOSSJY_PORTS": "1"})
