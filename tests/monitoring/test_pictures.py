"""Pictures of the dashboards from a real run: every panel is drawn, in both themes, with data where there is some.

PICTURES_S=120 makes the load longer; `make dashboard-pictures` copies the result to docs/dashboards.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.e2e.conftest import ROOT, register
from tests.monitoring.conftest import FOLDER, Stack
from tests.monitoring.test_real import load

PICTURES = ROOT / "build" / "dashboards"
NAMES = {path.stem for path in (FOLDER / "grafana" / "dashboards").glob("*.json")}
# Panels that have no data in this stack, and why.
EMPTY = {
    "Replication lag": "this PostgreSQL has no replica",
    "Certificates": "this server has no TLS",
}


def test_pictures_of_all_dashboards_from_a_real_run(stack: Stack) -> None:
    seconds = float(os.environ.get("PICTURES_S", "8"))
    asyncio.run(load(stack.server.target, register(stack.server.target).token, seconds))
    command = [sys.executable, str(FOLDER / "grafana" / "render.py"), "--to", str(PICTURES)]
    command += ["--prometheus", f"http://127.0.0.1:{stack.port}", "--minutes", str(max(1.0, seconds / 60))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    empty = [title for line in done.stdout.splitlines() for title in line.partition("no data in ")[2].split("; ")]
    unknown = [title for title in empty if title and not any(title.startswith(known) for known in EMPTY)]
    assert not unknown, done.stdout
    drawn = {path.name for path in PICTURES.glob("*.svg")}
    assert drawn == {f"{name}-{theme}.svg" for name in NAMES for theme in ("light", "dark")}
    for path in PICTURES.glob("*.svg"):
        check(path)


def check(path: Path) -> None:
    """The picture is valid, has a title in Chinese for each panel, and its size is bounded."""
    root = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own program made it
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    assert groups
    for group in groups:
        title = group.find("{http://www.w3.org/2000/svg}text")
        assert title is not None
        assert re.search("[\u4e00-\u9fff]", title.text or "")
    assert path.stat().st_size < 300_000
