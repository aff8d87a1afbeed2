"""The Helm chart: the same manifests as kustomize, valid by schema with every value, and refusals of wrong values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest

from bossjy_server.config import Settings
from tests.deploy import manifests
from tests.deploy.chart import CHART, SMALL, compared, rendered
from tests.deploy.manifests import ROOT, Manifest, settings_of
from tests.deploy.test_kubernetes import CLOSE_S, FOREIGN, VERSIONS

# Every value that is not the default, at least once.
FULL: dict[str, Any] = {
    "image": {"repository": "images.example/bossjy", "tag": "1.2.3", "pullPolicy": "Always", "pullSecrets": ["pull"]},
    "secrets": {"service": "a", "owner": "b", "keys": "c"},
    "settings": {"BOSSJY_DATABASE_POOL": "9", "BOSSJY_LOG_FILES": "5"},
    "drainSeconds": 60,
    "autoscaler": {"enabled": True, "min": 2, "max": 4, "cpuPercent": 70, "runningCalls": 100},
    "disruptionBudget": {"maxUnavailable": "25%"},
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    "networkPolicies": {"monitoringNamespace": "observe", "databasePorts": [6432]},
    "serviceMonitor": {"interval": "30s", "labels": {"release": "prometheus"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "GRPC"},
        "host": "grpc.example.com",
        "tlsSecret": "grpc-tls",
    },
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "podAnnotations": {"example.com/team": "data"},
}
FIXED: dict[str, Any] = {"autoscaler": {"enabled": False}, "replicas": 5, "networkPolicies": {"enabled": False}}
VARIANTS = {"production": {}, "small": SMALL, "full": FULL, "fixed": FIXED}


def one(found: list[Manifest], kind: str) -> Manifest:
    (only,) = [each for each in found if each["kind"] == kind]
    return only


@pytest.mark.parametrize(
    ("values", "overlays"), [({}, ("production", "database")), (SMALL, ("small",))], ids=["production", "small"]
)
def test_chart_and_kustomize_make_the_same_manifests(values: dict[str, Any], overlays: tuple[str, ...]) -> None:
    expected = [each for overlay in overlays for each in manifests.rendered(overlay)]
    assert compared(rendered(values)) == compared(expected)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_manifests_match_the_schemas_of_kubernetes(name: str, version: str) -> None:
    for manifest in rendered(VARIANTS[name]):
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_helm_finds_no_fault() -> None:
    found = helm_python.lint(str(CHART))
    assert found["errors"] == []
    assert {each["error"] for each in found["messages"]} <= {"icon is recommended"}


def test_versions_are_those_of_the_release() -> None:
    with helm_python.Chart.load(str(CHART)) as chart:
        version = chart.version
    assert f"newTag: {version}\n" in (ROOT / "deploy/kubernetes/image/kustomization.yaml").read_text()
    assert f"appVersion: {version}\n" in (CHART / "Chart.yaml").read_text()


def test_each_value_reaches_its_manifest(tmp_path: Path) -> None:
    found = rendered(FULL, "acme")
    pod = one(found, "Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    settings = settings_of({each["name"]: each["value"] for each in server["env"]}, tmp_path)
    assert (settings.database.pool, settings.log.files) == (9, 5)
    pause_s = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert settings.process.drain_s == 60
    assert pod["terminationGracePeriodSeconds"] >= pause_s + 60 + CLOSE_S
    assert server["image"] == "images.example/bossjy:1.2.3"
    assert server["resources"] == FULL["resources"]
    secrets = {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    assert secrets == {"a", "c"}, "the servers never see the owner's URL"
    assert "b" in str(one(found, "Job")["spec"]["template"]["spec"]["volumes"])
    ingress = one(found, "Ingress")["spec"]
    (rule,) = ingress["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = next(each for each in found if each["kind"] == "Service" and each["metadata"]["name"] == backend["name"])
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    assert ports[backend["port"]["name"]] == Settings().server.port
    assert ingress["tls"] == [{"hosts": ["grpc.example.com"], "secretName": "grpc-tls"}]
    assert [each["type"] for each in one(found, "HorizontalPodAutoscaler")["spec"]["metrics"]] == ["Resource", "Pods"]


def test_two_releases_in_one_namespace_do_not_share_pods() -> None:
    selectors = [one(rendered({}, name), "Deployment")["spec"]["selector"]["matchLabels"] for name in ("a", "b")]
    pods = [one(rendered({}, name), "Deployment")["spec"]["template"]["metadata"]["labels"] for name in ("a", "b")]
    assert selectors[0].items() <= pods[0].items()
    assert not selectors[0].items() <= pods[1].items()
    names = [{(each["kind"], each["metadata"]["name"]) for each in rendered({}, name)} for name in ("a", "b")]
    assert not names[0] & names[1]


def test_without_the_autoscaler_the_replicas_are_fixed() -> None:
    found = rendered(FIXED)
    assert one(found, "Deployment")["spec"]["replicas"] == 5
    assert not {each["kind"] for each in found} & {"HorizontalPodAutoscaler", "NetworkPolicy"}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"replica": 3}, "replica"),
        ({"settings": {"DATABASE_URL": "postgresql://a"}}, "DATABASE_URL"),
        ({"settings": {"BOSSJY_DATABASE_POOL": 9}}, "string"),
        ({"embedded": True}, "autoscaler.enabled=false"),
        ({"ingress": {"enabled": True}}, "ingress.host"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], text: str) -> None:
    with pytest.raises(helm_python.HelmError, match=text):
        rendered(values)
