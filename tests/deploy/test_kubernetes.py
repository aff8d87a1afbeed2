"""Manifests of deploy/kubernetes, compared with the code, the image and the schemas of Kubernetes."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

import kubernetes_validate
import pytest

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.cli import command_line
from bossjy_server.config import Settings
from bossjy_server.telemetry.metrics import _PATH as METRICS
from bossjy_server.telemetry.text_pages import LIVE, READY
from tests.deploy.manifests import (
    CONTAINERFILE,
    OVERLAYS,
    ROOT,
    containers,
    exposed,
    image_variables,
    one,
    pods,
    rendered,
    settings_of,
)

DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text()
SERVERS = ("small", "production")
# The schemas have no types of operators.
FOREIGN = {"ServiceMonitor"}
# The two newest: the package lists each several times.
VERSIONS = list(dict.fromkeys(kubernetes_validate.utils.all_versions()))[-2:]
PORTS = {Settings().server.port, Settings().metrics.port}
CLOSE_S = 5


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_manifests_match_the_schemas_of_kubernetes(overlay: str, version: str) -> None:
    for manifest in rendered(overlay):
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_commands_and_image_exist(overlay: str, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]["version"]
    for _, container in containers(overlay):
        assert container["image"] == f"bossjy:{version}"
        settings_of({each["name"]: each["value"] for each in container.get("env", ())}, tmp_path)
        if "command" not in container:
            command_line().parse_args(container["args"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_pod_is_restricted(overlay: str) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)
    assert user
    for pod, container in containers(overlay):
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == int(user[1])
        assert pod["securityContext"]["runAsGroup"] == int(user[2])
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_volumes_are_mounted_and_hold_the_secrets(overlay: str) -> None:
    for pod in pods(overlay):
        volumes = {each["name"]: each for each in pod["volumes"]}
        mounted = set()
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            folders = {each["mountPath"]: volumes[each["name"]] for each in container["volumeMounts"]}
            mounted |= {each["name"] for each in container["volumeMounts"]}
            assert image_variables()["BOSSJY_DATA_DIR"] in folders
            for variable in container.get("env", ()):
                path = PurePosixPath(variable["value"])
                if variable["name"].endswith("_FILE"):
                    secret = folders[str(path.parent)]["secret"]["secretName"]
                    made = rf"create secret generic {secret} (\\\n|[^\n])*--from-file={path.name}"
                    assert re.search(made, DOCUMENT), f"docs/kubernetes.md does not make {path.name} of {secret}"
        assert mounted == set(volumes)
        for volume in volumes.values():
            if "secret" in volume:
                assert f"create secret generic {volume['secret']['secretName']} " in DOCUMENT


@pytest.mark.parametrize("overlay", SERVERS)
def test_ports_are_those_of_the_server(overlay: str) -> None:
    (server,) = one(overlay, "Deployment")["spec"]["template"]["spec"]["containers"]
    named = {each["name"]: each["containerPort"] for each in server["ports"]}
    assert set(named.values()) == PORTS == exposed()
    for name in ("bossjy", "bossjy-headless"):
        service = one(overlay, "Service", name)["spec"]
        assert all(named[each["targetPort"]] == each["port"] for each in service["ports"])
    assert one(overlay, "Service", "bossjy-headless")["spec"]["clusterIP"] == "None"
    opened = [
        port["port"] for rule in one(overlay, "NetworkPolicy", "bossjy")["spec"]["ingress"] for port in rule["ports"]
    ]
    assert set(opened) == PORTS


@pytest.mark.parametrize("overlay", SERVERS)
def test_probes_ask_the_pages_of_the_server(overlay: str) -> None:
    (server,) = one(overlay, "Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in server["ports"]}
    for probe, page in (("startupProbe", LIVE), ("livenessProbe", LIVE), ("readinessProbe", READY)):
        asked = server[probe]["httpGet"]
        assert (asked["path"], ports[asked["port"]]) == (page, Settings().metrics.port)


@pytest.mark.parametrize("overlay", SERVERS)
def test_the_pod_ends_after_the_drain(overlay: str, tmp_path: Path) -> None:
    pod = one(overlay, "Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    drain_s = settings_of({each["name"]: each["value"] for each in server["env"]}, tmp_path).process.drain_s
    pause_s = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause_s + drain_s + CLOSE_S


@pytest.mark.parametrize("overlay", SERVERS)
def test_every_selector_selects_the_servers(overlay: str) -> None:
    deployment = one(overlay, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    selectors = [deployment["selector"]["matchLabels"]]
    for manifest in rendered(overlay):
        spec = manifest.get("spec", {})
        if manifest["kind"] == "Service":
            selectors.append(spec["selector"])
        elif manifest["kind"] == "PodDisruptionBudget":
            selectors.append(spec["selector"]["matchLabels"])
        elif manifest["kind"] == "NetworkPolicy":
            selectors.append(spec["podSelector"]["matchLabels"])
    for spread in deployment["template"]["spec"].get("topologySpreadConstraints", ()):
        selectors.append(spread["labelSelector"]["matchLabels"])
    assert all(selector.items() <= labels for selector in selectors)


def test_prometheus_finds_the_metrics() -> None:
    monitor = one("production", "ServiceMonitor")["spec"]
    service = one("production", "Service", "bossjy")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    headless = one("production", "Service", "bossjy-headless")
    assert not monitor["selector"]["matchLabels"].items() <= headless["metadata"]["labels"].items(), "two targets a pod"
    (endpoint,) = monitor["endpoints"]
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    assert (endpoint["path"], ports[endpoint["port"]]) == (METRICS, Settings().metrics.port)
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "bossjy"  # the job of the alerts


def test_production_has_several_servers_and_keeps_some() -> None:
    scaler = one("production", "HorizontalPodAutoscaler")["spec"]
    assert scaler["minReplicas"] > one("production", "PodDisruptionBudget")["spec"]["maxUnavailable"]
    assert scaler["scaleTargetRef"]["name"] == one("production", "Deployment")["metadata"]["name"]
    assert "replicas" not in one("production", "Deployment")["spec"], "an apply would undo the autoscaler"
    text = (ROOT / "deploy" / "kubernetes" / "running-calls" / "kustomization.yaml").read_text()
    metrics = re.findall(r"bossjy_\w+", text)
    source = (ROOT / "server" / "bossjy_server" / "rpc" / "limits.py").read_text()
    assert metrics
    assert all(f'"{metric}"' in source for metric in metrics)


def test_embedded_databases_have_one_server() -> None:
    deployment = one("small", "Deployment")["spec"]
    assert deployment["replicas"] == 1
    assert deployment["strategy"]["type"] == "Recreate"
    (data,) = [each for each in deployment["template"]["spec"]["volumes"] if each["name"] == "data"]
    claim = one("small", "PersistentVolumeClaim")["metadata"]["name"]
    assert data == {"name": "data", "persistentVolumeClaim": {"claimName": claim}}


def test_the_server_accepts_the_keys_that_the_init_container_copies(tmp_path: Path) -> None:
    made, mounted, data = (tmp_path / name for name in ("made", "mounted", "data"))
    kid = Keys.load(made, retire_s=1, activation_s=0).signing.kid
    mounted.mkdir()
    for path in made.iterdir():
        (mounted / path.name).write_bytes(path.read_bytes())
        (mounted / path.name).chmod(0o440)  # as in a volume of a Secret
    (copy,) = one("production", "Deployment")["spec"]["template"]["spec"]["initContainers"]
    script = copy["command"][-1].replace("/run/secrets/bossjy-keys", str(mounted)).replace("/data", str(data))
    data.mkdir()
    subprocess.run([*copy["command"][:-1], script], check=True)
    assert Keys.load(data / "keys", retire_s=1, activation_s=0).signing.kid == kid
