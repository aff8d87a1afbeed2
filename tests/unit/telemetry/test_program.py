"""Ages of plan and keys, ends of certificates, stalled imports, and a log file that cannot be written."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from bossjy_numbering.released import RELEASED, plan_time
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.telemetry.logging import Log
from bossjy_server.telemetry.program import AgeCollector, ProgramCollector

DAY_S = 86_400


def test_the_release_date_of_the_locked_plan_is_listed(tmp_path: Path) -> None:
    assert version("phonenumbers") in RELEASED, "add its date to bossjy_numbering/released.py"
    assert plan_time("9.0.43", tmp_path) == datetime(2026, 11, 6, tzinfo=UTC).timestamp()
    # An unlisted version is as old as the folder of its tables.
    os.utime(tmp_path, (5_000, 5_000))
    assert plan_time("99.0.0", tmp_path) == 5_000


def pair(folder: Path, days: int) -> TlsOptions:
    """A certificate that ends in so many days, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(days)).sign(key, hashes.SHA256())
    options = TlsOptions(folder / "certificate.pem", folder / "key.pem", folder / "ca.pem")
    assert options.client_ca is not None
    for path in (options.certificate, options.client_ca):
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    options.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return options


def test_ages_and_ends_are_metrics(tmp_path: Path) -> None:
    options = pair(tmp_path, 10)
    certificates, registry = Certificates(options), CollectorRegistry()
    now = time.time()
    AgeCollector(registry, plan_time=now - 3 * DAY_S, key_time=lambda: now - 2 * DAY_S, certificates=certificates.ends)
    assert registry.get_sample_value("bossjy_plan_age_days") == pytest.approx(3, abs=0.01)
    assert registry.get_sample_value("bossjy_signing_key_age_days") == pytest.approx(2, abs=0.01)
    for file in ("certificate", "client_ca"):
        ends = registry.get_sample_value("bossjy_certificate_expiry_timestamp_seconds", {"file": file})
        assert ends == pytest.approx(now + 10 * DAY_S, abs=60)
    # A renewed file counts at the next scrape; one that is gone has no sample.
    pair(tmp_path, 90)
    assert certificates.ends()["certificate"] == pytest.approx(now + 90 * DAY_S, abs=60)
    options.certificate.unlink()
    assert set(certificates.ends()) == {"client_ca"}


def test_an_import_stalls_only_while_it_has_rows_to_commit() -> None:
    registry = CollectorRegistry()
    now = 100.0
    metrics = ImportMetrics(registry, lambda: now)

    def stalled() -> float | None:
        return registry.get_sample_value("bossjy_import_stalled_seconds")

    one, other = object(), object()
    metrics.opened()
    metrics.opened()
    now = 500.0
    assert stalled() == 0  # its client sends nothing
    metrics.progressed(one, 1)
    now = 560.0
    metrics.progressed(other, 1)
    assert stalled() == 60
    metrics.progressed(one, 0)
    now = 570.0
    assert stalled() == 10
    metrics.ended(other)
    assert stalled() == 0
    assert registry.get_sample_value("bossjy_import_uploads") == 1


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_full_disk_of_the_log_is_one_line_and_a_metric(tmp_path: Path) -> None:
    console, registry = io.StringIO(), CollectorRegistry()
    log = Log(file=tmp_path / "bossjy.log", console=console, console_level=100, flush_s=0.01)
    assert log._file is not None
    assert log._file.stream is not None
    log._file.stream.close()
    log._file.stream = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115 - closed with the log
    ProgramCollector(registry, log)
    for number in range(3):
        log.info("call", number=number)
        time.sleep(0.03)
    until(lambda: log.file_fails)
    # Space again: the log notices, although nothing is logged.
    full = log._file.stream
    log._file.stream = (tmp_path / "bossjy.log").open("a", encoding="utf-8")
    with suppress(OSError):
        full.close()
    until(lambda: not log.file_fails)
    log.close()
    (line,) = console.getvalue().splitlines()
    assert json.loads(line)["error"] == os.strerror(errno.ENOSPC)
    assert "can be written again" in (tmp_path / "bossjy.log").read_text()
    assert (registry.get_sample_value("bossjy_log_write_failures_total") or 0) >= 1
