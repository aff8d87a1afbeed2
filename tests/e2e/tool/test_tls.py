"""The tool over TLS: trusted certificate authorities, and the tool's own certificate."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import EMAIL, PASSWORD, MakeServer, ServerProcess, on_parts, register
from tests.e2e.tool.conftest import run_tool
from tests.integration.rpc.certificates import Authority

pytestmark = pytest.mark.timeout(600)


def wait_for_port(server: ServerProcess, wait_s: float = 60.0) -> None:
    deadline = time.monotonic() + wait_s
    host, _, port = server.target.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            assert not server.ended, server.text()
            assert time.monotonic() < deadline, server.text()
            time.sleep(0.05)
        else:
            return


def test_certificates_are_named_once(
    make_server: MakeServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    parts = on_parts(database_url, redis_url)
    plain = make_server(**parts)
    plain.start()
    tenant = register(plain.target)
    plain.terminate()

    authority, other = Authority(), Authority("Another")
    certificate, key = authority.sign("localhost").write(tmp_path / "server")
    mine, my_key = authority.sign("client", "spiffe://test/client").write(tmp_path / "client")
    ca, wrong_ca = tmp_path / "ca.pem", tmp_path / "wrong.pem"
    ca.write_bytes(authority.certificate)
    wrong_ca.write_bytes(other.certificate)
    tls = {"BOSSJY_TLS_CERTIFICATE": certificate, "BOSSJY_TLS_KEY": key, "BOSSJY_TLS_CLIENT_CA": ca}
    server = make_server(**parts, **{name: str(path) for name, path in tls.items()})
    server.launch()

    target = ("--target", server.target.replace("127.0.0.1", "localhost"), "--tls")
    login = ("login", *target, "--tenant", tenant.tenant_id, "--email", EMAIL, "--password-stdin")
    trusted = ("--ca-file", str(ca), "--cert-file", str(mine), "--key-file", str(my_key))
    wait_for_port(server)
    run_tool(tmp_path, *login, *trusted, text=PASSWORD)
    shown = run_tool(tmp_path, "whoami", "--json")
    assert json.loads(shown.stdout)["user"]["email"] == EMAIL

    refused = run_tool(tmp_path, *login, "--ca-file", str(wrong_ca), text=PASSWORD, code=5)
    assert "certificate is not trusted" in refused.stderr
    run_tool(tmp_path, *login, "--ca-file", str(ca), "--cert-file", str(mine), text=PASSWORD, code=2)
    run_tool(tmp_path, *login, "--ca-file", str(tmp_path / "missing.pem"), text=PASSWORD, code=7)
