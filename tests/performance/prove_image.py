"""The image built and run: size, user, read-only root, health check, first owner, drain: `make prove-image`.

    python -m tests.performance.prove_image [--tool podman] [--base IMAGE] [--build-flags '…'] [--run-flags '…']

Needs podman or docker, and a base image with Python. In a container without systemd, podman needs
`--build-flags=--isolation=chroot` and `--run-flags='--runtime runc --network host'`.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from tests.measurements import write_figures

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_MB = {"server": 350, "embedded": 400}
_START_S = 120.0
_NAME = "bossjy-prove-image"


class Tool:
    """podman or docker."""

    def __init__(self, program: str) -> None:
        self._program = program

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run a command. Returns its output; ends the proof if it fails, or with `fails` if it does not."""
        done = subprocess.run([self._program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        if (done.returncode != 0) is not fails:
            raise SystemExit(f"{self._program} {shlex.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout.strip()

    def succeeds(self, *arguments: str) -> bool:
        """True if the command succeeds."""
        return subprocess.run([self._program, *arguments], capture_output=True, check=False).returncode == 0


def build(tool: Tool, target: str, options: argparse.Namespace) -> float:
    """Build a target. Returns its size in MB."""
    form = () if options.tool == "docker" else ("--format", "docker")
    base = ("--build-arg", f"BASE={options.base}") if options.base else ()
    flags = (*form, *base, *shlex.split(options.build_flags))
    tag = f"{_NAME}:{target}"
    tool.run("build", *flags, "--target", target, "-f", "deploy/image/Containerfile", "-t", tag, ".")
    return int(tool.run("image", "inspect", "--format", "{{.Size}}", tag)) / 1e6


def operate(tool: Tool, options: argparse.Namespace) -> dict[str, float]:
    """Run the target `embedded` as docs/containers.md does, use it, and stop it."""
    flags = ("--read-only", "--tmpfs", "/tmp", *shlex.split(options.run_flags))  # noqa: S108 - in the container
    ports = ("-e", "BOSSJY_PORT=21901", "-e", "BOSSJY_METRICS_PORT=21902")
    tool.run("run", "-d", "--name", _NAME, "--cap-drop", "ALL", *flags, *ports, f"{_NAME}:embedded")
    began = time.monotonic()
    while not tool.succeeds("exec", _NAME, "bossjy-server", "health"):
        if time.monotonic() > began + _START_S:
            raise SystemExit(f"it does not become healthy:\n{tool.run('logs', _NAME)[-2000:]}")
        time.sleep(0.2)
    ready_s = time.monotonic() - began
    user = tool.run("exec", _NAME, "id", "-u")
    if user != "10001":
        raise SystemExit(f"it runs as {user}")
    tool.run("exec", _NAME, "touch", "/opt/bossjy/file", fails=True)
    create = ("bossjy-server", "owner", "create", "--tenant-name=Acme", "--email=ann@example.com", "--generate")
    if "tenant acme-" not in tool.run("exec", _NAME, *create):
        raise SystemExit("no owner was made")
    began = time.monotonic()
    tool.run("stop", "-t", "60", _NAME)
    code = tool.run("inspect", "--format", "{{.State.ExitCode}}", _NAME)
    if code != "0":
        raise SystemExit(f"it ended with {code}")
    return {"ready_s": ready_s, "stop_s": time.monotonic() - began}


def main() -> int:
    """Build, run, and compare with the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default="podman")
    parser.add_argument("--base", default="")
    parser.add_argument("--build-flags", default="")
    parser.add_argument("--run-flags", default="")
    options = parser.parse_args()
    tool = Tool(options.tool)
    sizes = {target: build(tool, target, options) for target in _LIMIT_MB}
    # Without its databases and without theirs, the default target refuses to start, in one line.
    refused = ("run", "--rm", "--read-only", "--tmpfs", "/data", *shlex.split(options.run_flags), f"{_NAME}:server")
    tool.run(*refused, fails=True)
    try:
        figures = operate(tool, options)
    finally:
        tool.succeeds("rm", "-f", "-v", _NAME)
    write_figures("image", {f"{target}_mb": round(size) for target, size in sizes.items()} | figures)
    wrong = [f"{target}: {size:.0f} MB" for target, size in sizes.items() if size > _LIMIT_MB[target]]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
