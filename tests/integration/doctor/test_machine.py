"""The self-check on files and ports, sound and broken."""

from __future__ import annotations

import json
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.cli import main
from bossjy_server.config import Settings, read_settings
from bossjy_server.doctor.certificate_check import certificate_findings
from bossjy_server.doctor.disk_check import disk_findings, space_finding
from bossjy_server.doctor.findings import Finding, State
from bossjy_server.doctor.key_check import key_findings
from bossjy_server.doctor.machine_check import machine_findings, program_findings
from bossjy_server.doctor.port_check import port_findings
from bossjy_server.doctor.settings_check import settings_findings
from bossjy_server.embedded.system import free_port
from bossjy_server.rpc.options import ServerOptions
from tests.integration.rpc.certificates import Authority

DAY_S = 86_400


def settings_for(folder: Path, **variables: str) -> Settings:
    return read_settings({"BOSSJY_DATA_DIR": str(folder), **variables})


def broken(found: list[Finding]) -> dict[str, State]:
    assert found
    assert all(one.action for one in found if one.state is not State.OK), "a fault without an action"
    return {one.check: one.state for one in found if one.state is not State.OK}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with keys."""
    tmp_path.chmod(0o700)
    Keys.load(tmp_path / "keys", retire_s=600, activation_s=60)
    return tmp_path


def keys_of(data_dir: Path) -> list[Finding]:
    return key_findings(data_dir, AuthOptions())


def test_sound_keys(data_dir: Path) -> None:
    before = sorted((data_dir / "keys").iterdir())
    assert broken(keys_of(data_dir)) == {}
    assert "(0 days old)" in keys_of(data_dir)[0].fact
    assert sorted((data_dir / "keys").iterdir()) == before


def test_no_keys_yet(tmp_path: Path) -> None:
    assert broken(keys_of(tmp_path / "none")) == {}
    assert not (tmp_path / "none").exists()


def test_keys_that_others_may_read(data_dir: Path) -> None:
    key = next((data_dir / "keys").glob("*.pem"))
    key.chmod(0o644)
    assert broken(keys_of(data_dir)) == {"keys": State.FAIL}
    assert f"chmod 600 {key}" in keys_of(data_dir)[0].action
    key.chmod(0o600)
    (data_dir / "keys").chmod(0o755)
    assert broken(keys_of(data_dir)) == {"keys": State.WARN}


def test_an_old_key_and_one_of_the_future(data_dir: Path) -> None:
    key = next((data_dir / "keys").glob("*.pem"))
    for created, told in ((time.time() - 402 * DAY_S, "keys rotate"), (time.time() + DAY_S, "clock")):
        key = key.rename(key.with_name(f"{created:.0f}-{key.name.partition('-')[2]}"))
        assert broken(keys_of(data_dir)) == {"keys": State.WARN}
        assert told in keys_of(data_dir)[0].action


def test_damaged_keys(data_dir: Path) -> None:
    secret, key = data_dir / "keys" / "secret.key", next((data_dir / "keys").glob("*.pem"))
    content = secret.read_bytes()
    secret.write_bytes(content[:5])
    assert "5 bytes" in keys_of(data_dir)[0].fact
    secret.unlink()
    assert broken(keys_of(data_dir)) == {"keys": State.FAIL}
    secret.write_bytes(content)
    secret.chmod(0o600)
    key.write_text("no key")
    assert broken(keys_of(data_dir)) == {"keys": State.FAIL}
    assert "backup" in keys_of(data_dir)[0].action


def certificates_of(certificate: Path, key: Path, authority: Path | None = None) -> list[Finding]:
    return certificate_findings(
        ServerOptions(tls_certificate=str(certificate), tls_key=str(key), tls_client_ca=str(authority or ""))
    )


def test_certificates(tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    certificate, key = authority.sign("server", valid=timedelta(days=90)).write(tmp_path / "a")
    key.chmod(0o640)
    found = certificates_of(certificate, key, tmp_path / "ca.pem")
    # The authority of the tests ends in a day.
    assert broken(found) == {"client CA": State.WARN}
    assert "for localhost, 127.0.0.1, valid until" in found[0].fact
    assert broken(certificates_of(*authority.sign("soon").write(tmp_path / "b"))) == {
        "certificate": State.WARN,
        "TLS key": State.WARN,
    }
    old, its_key = authority.sign("old", valid=timedelta(seconds=-1)).write(tmp_path / "c")
    its_key.chmod(0o600)
    assert broken(certificates_of(old, its_key)) == {"certificate": State.FAIL}
    assert broken(certificates_of(certificate, its_key)) == {"TLS key": State.FAIL}
    assert broken(certificates_of(key, certificate)) == {"certificate": State.FAIL, "TLS key": State.FAIL}
    assert broken(certificates_of(tmp_path / "none", key)) == {"certificate": State.FAIL, "TLS key": State.FAIL}
    assert broken(certificate_findings(ServerOptions())) == {}


def test_space() -> None:
    gib = 1024**3
    assert space_finding("/data", 50 * gib, 100 * gib).state is State.OK
    assert space_finding("/data", 9 * gib, 100 * gib).state is State.WARN
    assert space_finding("/data", gib // 8, gib).state is State.FAIL


def test_folders(data_dir: Path) -> None:
    settings = settings_for(data_dir)
    assert [one.check for one in disk_findings(settings)] == ["data folder", "disk", "log"]
    assert "data folder" not in broken(disk_findings(settings))
    data_dir.chmod(0o755)
    assert broken(disk_findings(settings))["data folder"] is State.WARN
    (data_dir / "file").touch()
    assert broken(disk_findings(settings_for(data_dir / "file" / "below")))["data folder"] is State.FAIL
    missing = disk_findings(settings_for(data_dir / "new" / "below"))
    assert "the first start makes it" in missing[0].fact
    large = settings_for(data_dir, BOSSJY_LOG_FILE_BYTES=str(10**10), BOSSJY_LOG_FILES="1000")
    assert broken(disk_findings(large))["log"] is State.WARN


def test_ports(tmp_path: Path) -> None:
    port, metrics = free_port(), free_port()
    settings = settings_for(tmp_path, BOSSJY_PORT=str(port), BOSSJY_METRICS_PORT=str(metrics))
    assert broken(port_findings(settings, 1)) == {}
    with socket.create_server(("127.0.0.1", metrics)):  # accepts, and answers nothing
        found = port_findings(settings, 0.3)
        assert broken(found) == {"metrics port": State.FAIL}
        assert "set BOSSJY_METRICS_PORT to a free port" in found[1].action
    foreign = settings_for(tmp_path, BOSSJY_HOST="192.0.2.1", BOSSJY_METRICS_PORT="0")
    found = port_findings(foreign, 1)
    assert [(one.check, one.state, one.action) for one in found] == [("port", State.FAIL, "correct BOSSJY_HOST")]


def test_program_and_machine(tmp_path: Path) -> None:
    assert [one.check for one in program_findings(settings_for(tmp_path))] == ["program", "plan"]
    found = machine_findings(settings_for(tmp_path, BOSSJY_WORKERS="256"))
    assert broken(found)["workers"] is State.WARN


def test_settings(tmp_path: Path) -> None:
    assert broken(settings_findings(settings_for(tmp_path))) == {}
    settings = settings_for(tmp_path, BOSSJY_HOST="192.0.2.1", BOSSJY_REGISTRATION="open", BOSSJY_KEY_RELOAD_S="90")
    assert [one.state for one in settings_findings(settings)] == [State.OK, *[State.WARN] * 3]
    file = tmp_path / "bossjy.toml"
    file.write_text('[redis]\nurl = "redis://:quiet-secret@localhost"\n')
    file.chmod(0o644)
    found = settings_findings(read_settings({}, file=str(file)))
    assert broken(found) == {"settings": State.WARN}
    assert "REDIS_URL" in found[1].fact
    assert "quiet-secret" not in "".join(one.fact + one.action for one in found)
    file.chmod(0o600)
    assert broken(settings_findings(read_settings({}, file=str(file)))) == {}


def test_wrong_settings_are_findings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BOSSJY_PORT", "0")
    monkeypatch.setenv("BOSSJY_PROT", "1")
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out.startswith(
        "FAIL  settings      BOSSJY_PORT must be a whole number from 1 to 65535\n"
    )
    assert main(["doctor", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["check"], line["state"]) for line in lines] == [("settings", "FAIL")] * 2


def test_service_links_are_reported(tmp_path: Path) -> None:
    link = "tcp://10.96.0.7:18001"
    settings = settings_for(tmp_path, BOSSJY_PORT=link, BOSSJY_SERVICE_HOST="10.96.0.7")
    assert settings.server.port == 18001
    assert settings.links == ("BOSSJY_PORT", "BOSSJY_SERVICE_HOST")
    assert "BOSSJY_PORT, BOSSJY_SERVICE_HOST" in settings_findings(settings)[1].fact
