"""Readers of deploy/: rendered Kubernetes manifests, the Containerfile, and the settings that the server knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bossjy_server.config import Settings, listed, read_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
OVERLAYS = ("small", "production", "database")
CONTAINERFILE = (DEPLOY / "image" / "Containerfile").read_text()
NAMES = {one.name for one in listed(Settings())}

Manifest = dict[str, Any]


def kubectl() -> str:
    """The kubectl of the environment."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert found, "kubectl is missing: run `make test-deploy`"
    return found


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """The manifests of an overlay, as `kubectl apply -k` sends them."""
    folder = str(DEPLOY / "kubernetes" / overlay)
    done = subprocess.run([kubectl(), "kustomize", folder], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def one(overlay: str, kind: str, name: str = "") -> Manifest:
    """The manifest of that kind, and of that name if there are several."""
    found = [each for each in rendered(overlay) if each["kind"] == kind and name in {"", each["metadata"]["name"]}]
    assert len(found) == 1, f"{overlay} has {len(found)} {kind} {name}"
    return found[0]


def pods(overlay: str) -> Iterator[Manifest]:
    """The specification of every pod."""
    for manifest in rendered(overlay):
        if template := manifest.get("spec", {}).get("template"):
            yield template["spec"]


def containers(overlay: str) -> Iterator[tuple[Manifest, Manifest]]:
    """Every container with its pod."""
    for pod in pods(overlay):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            yield pod, container


def exposed() -> set[int]:
    """The ports that the image exposes."""
    found = re.search(r"^EXPOSE (.+)$", CONTAINERFILE, re.MULTILINE)
    assert found
    return {int(port) for port in found[1].split()}


def image_variables() -> dict[str, str]:
    """The settings that the image has."""
    return dict(re.findall(r"\b(BOSSJY_\w+)=(\S+)", CONTAINERFILE))


def settings_of(variables: Mapping[str, str], folder: Path) -> Settings:
    """The settings as the server reads them from these variables and those of the image.

    Raises StartError for a wrong one; fails for a name that no setting has. Files of secrets are made in `folder`.
    """
    read = dict(variables)
    for name, path in variables.items():
        setting = name.removesuffix("_FILE")
        assert setting in NAMES, f"{name} is no setting"
        if setting != name:
            (folder / Path(path).name).write_text(_URLS[setting])
            read[name] = str(folder / Path(path).name)
    settings = read_settings(image_variables() | read)
    ignored = {name for name in variables if name.removesuffix("_FILE") not in settings.origins}
    assert not ignored, f"the server does not read {ignored}"
    return settings


_URLS = {
    "DATABASE_URL": "postgresql://service@postgres/bossjy",
    "DATABASE_ADMIN_URL": "postgresql://owner@postgres/bossjy",
    "REDIS_URL": "redis://redis:6379",
}
