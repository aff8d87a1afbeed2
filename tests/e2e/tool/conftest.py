"""Fixtures: the tool `bossjy` as people and programs run it, logged in at a real server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from bossjy.imports.v1 import import_service_pb2, import_service_pb2_grpc
from bossjy_client.credentials import CredentialsFile, Login
from bossjy_client.places import config_folder
from bossjy_client.tokens import SessionTokens
from tests.e2e.conftest import EMAIL, ServerProcess, Tenant, caller_environment

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_tool(
    folder: Path, *arguments: str, code: int | None = 0, text: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the tool with its files in `folder`. `code` is the expected exit code; None: any."""
    done = subprocess.run(
        [sys.executable, "-m", "bossjy_client", *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=caller_environment(folder) | more,
        timeout=60,
        check=False,
    )
    assert code in {None, done.returncode}, done
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def run(shared_server: ServerProcess, tenant: Tenant, tmp_path: Path) -> Run:
    """Run the tool, logged in: with the file that `bossjy login` would have written."""
    login = Login(shared_server.target, tenant.tenant_id, EMAIL).renewed(SessionTokens.of(tenant.tokens))
    CredentialsFile(config_folder(caller_environment(tmp_path)) / "credentials.json").save(login)
    return partial(run_tool, tmp_path)


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def wait_for_rows(target: str, tenant: Tenant, wait_s: float = 60.0) -> None:
    """Wait until the tenant's newest import has committed rows."""
    deadline = time.monotonic() + wait_s
    metadata = (("authorization", f"Bearer {tenant.token}"),)
    with grpc.insecure_channel(target) as channel:
        stub = import_service_pb2_grpc.ImportServiceStub(channel)
        while True:
            jobs = stub.ListImports(import_service_pb2.ListImportsRequest(page_size=1), metadata=metadata, timeout=10)
            if jobs.import_jobs and jobs.import_jobs[0].counts.rows_in:
                return
            assert time.monotonic() < deadline, "no rows were committed"
            time.sleep(0.01)
