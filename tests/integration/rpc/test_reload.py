"""Reload of keys and certificates at SIGHUP: the log has the result, and unusable files change nothing."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.disk import DiskProbe
from bossjy_server.reload import reload, reload_when
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.tasks import end_task
from bossjy_server.telemetry.logging import Log
from tests.integration.rpc.certificates import Authority


class Told:
    """A log, and the lines that it wrote."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self.log = Log(console=self._text, flush_s=0.01)

    def lines(self) -> list[dict[str, Any]]:
        """The lines; no more can come."""
        self.log.close()
        return [json.loads(line) for line in self._text.getvalue().splitlines()]


def keys_in(folder: Path) -> Keys:
    return Keys.load(folder / "keys", retire_s=600, activation_s=0)


async def test_new_keys_and_certificates_are_used(tmp_path: Path) -> None:
    told, keys, authority = Told(), keys_in(tmp_path), Authority()
    options = TlsOptions(*authority.sign("one").write(tmp_path))
    certificates = Certificates(options)
    made = keys_in(tmp_path).rotate()  # another process
    authority.sign("two", valid=timedelta(days=9)).write(tmp_path)
    await reload(keys, certificates, told.log)
    assert keys.verifying(made.kid)
    # gRPC still gets the new certificate at its next handshake.
    assert certificates.changed() is not None
    first, second = told.lines()
    assert (first["event"], first["level"], first["count"]) == ("signing keys were read again", "info", 2)
    assert second["event"].startswith("certificates are valid")
    assert second["ends"]["certificate"] > 0


async def test_unusable_files_change_nothing(tmp_path: Path) -> None:
    told, keys, authority = Told(), keys_in(tmp_path), Authority()
    certificate, key = authority.sign("one").write(tmp_path)
    certificates = Certificates(TlsOptions(certificate, key))
    signing = keys.signing
    (tmp_path / "keys" / f"{signing.created + 1}-{'A' * 43}.pem").write_text("no key")
    (tmp_path / "keys" / f"{signing.created + 1}-{'A' * 43}.pem").chmod(0o600)
    certificate.write_text("no certificate")
    await reload(keys, certificates, told.log)
    assert keys.signing is signing
    assert certificates.changed() is None
    assert [(line["level"], "stay in use" in line["event"]) for line in told.lines()] == [("warning", True)] * 2


async def test_each_hangup_reloads(tmp_path: Path) -> None:
    told, keys, wanted = Told(), keys_in(tmp_path), asyncio.Event()
    task = asyncio.create_task(reload_when(wanted, keys, None, told.log))
    made = keys_in(tmp_path).rotate()
    wanted.set()
    async with asyncio.timeout(30):
        while keys.verifying(made.kid) is None:
            await asyncio.sleep(0.01)
    await end_task(task)
    assert [line["event"] for line in told.lines()] == ["signing keys were read again"]


async def test_the_disk_of_the_data_folder(tmp_path: Path) -> None:
    told = Told()
    probe = DiskProbe(tmp_path, told.log)
    assert await probe()
    told.log.file_fails = True
    assert not await probe()
    told.log.file_fails = False
    assert not await DiskProbe(tmp_path / "gone", told.log)()
    probe.report(works=False)
    probe.report(works=True)
    full, free = told.lines()
    assert (full["level"], free["level"]) == ("warning", "info")
    assert "free space" in full["action"]
