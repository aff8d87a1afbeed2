"""The Helm chart of deploy/helm, rendered by the library of Helm, in a form that can be compared with kustomize."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import helm_python
import yaml

from tests.deploy.manifests import DEPLOY, Manifest

CHART = DEPLOY / "helm" / "bossjy"
SMALL: dict[str, Any] = yaml.safe_load((CHART / "small.yaml").read_text())
# Labels that only Helm writes.
_OWN_LABELS = {"app.kubernetes.io/instance", "app.kubernetes.io/managed-by"}


def rendered(values: Mapping[str, Any], release: str = "bossjy") -> list[Manifest]:
    """The manifests of the chart with these values. Raises HelmError for values that the chart refuses."""
    with helm_python.Chart.load(str(CHART)) as chart:
        chart.validate_schema(dict(values))
        files = chart.render(dict(values), name=release, namespace="acme")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def compared(manifests: list[Manifest]) -> dict[tuple[str, str], Any]:
    """The manifests by kind and name, without what only Helm writes, and without the order of named parts."""
    return {(each["kind"], each["metadata"]["name"]): _plain(each) for each in manifests}


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        kept = {key: _plain(value) for key, value in part.items() if key not in _OWN_LABELS and not _of_helm(key)}
        return {key: value for key, value in kept.items() if value not in ({}, None) or part[key] == {}}
    if isinstance(part, list):
        plain = [_plain(each) for each in part]
        named = bool(plain) and all(isinstance(each, dict) and "name" in each for each in plain)
        return sorted(plain, key=lambda each: str(each["name"])) if named else plain
    return part


def _of_helm(key: str) -> bool:
    return key.startswith("helm.sh/")
