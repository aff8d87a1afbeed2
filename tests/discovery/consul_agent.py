"""A real Consul agent in development mode: found on PATH or by CONSUL, else fetched from Debian's package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from bossjy_server.embedded.system import free_port

# The last release of Debian with the package; its licence is MPL-2.0.
_SUITE = "bullseye"


def program(folder: Path) -> str:
    """The path of the agent's program. Fails with one line if this machine has none and cannot fetch one."""
    if found := os.environ.get("CONSUL") or shutil.which("consul"):
        return found
    try:
        return str(_fetched(folder))
    except (OSError, subprocess.SubprocessError) as error:
        raise AssertionError(
            f"no Consul agent: install it, or name its program in CONSUL ({type(error).__name__})"
        ) from None


def _fetched(folder: Path) -> Path:
    """From the mirror of this machine's own package sources, without a change to them."""
    sources = "\n".join(path.read_text() for path in Path("/etc/apt").rglob("*.sources"))
    mirror = re.search(r"^URIs: (\S+/debian)/?$", sources, re.MULTILINE)
    if mirror is None:
        raise FileNotFoundError("no mirror")
    (folder / "list").write_text(f"deb [trusted=yes] {mirror[1]} {_SUITE} main\n")
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    options = [
        f"-oDir::Etc::sourcelist={folder}/list",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={folder}/lists",
        f"-oDir::Cache={folder}/cache",
        "-oDir::State::status=/dev/null",
    ]
    for command in (["apt-get", *options, "update"], ["apt-get", *options, "download", "consul"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    subprocess.run(
        ["dpkg", "-x", next(map(str, folder.glob("consul_*.deb"))), str(folder / "files")], check=True, timeout=60
    )
    return folder / "files" / "usr" / "bin" / "consul"


class ConsulAgent:
    """An agent that forgets its entries when it ends."""

    def __init__(self, path: str, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._ports = [free_port() for _ in range(5)]
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        self.dns = f"127.0.0.1:{self._ports[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it leads its cluster of one."""
        kinds = ("-http-port", "-dns-port", "-server-port", "-serf-lan-port", "-serf-wan-port")
        ports = [text for kind, port in zip(kinds, self._ports, strict=True) for text in (kind, str(port))]
        ports += ["-grpc-port", "-1"]
        with (self._folder / "consul.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [self._path, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", *ports],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.until(lambda: bool(self.ask("/v1/status/leader")))

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def ask(self, path: str) -> Any:
        """The JSON of a path; None if the agent does not answer."""
        try:
            return httpx.get(self.url + path, timeout=5, trust_env=False).json()
        except (httpx.HTTPError, ValueError):
            return None

    def healthy(self) -> list[int]:
        """Ports of the servers that pass their check."""
        found = self.ask("/v1/health/service/bossjy?passing=1") or []
        return sorted(one["Service"]["Port"] for one in found)

    @staticmethod
    def until(true: Any, wait_s: float = 60.0) -> None:
        """Wait until a condition is true."""
        deadline = time.monotonic() + wait_s
        while not true():
            assert time.monotonic() < deadline, "it does not become true"
            time.sleep(0.1)
