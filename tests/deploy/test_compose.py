"""The file deploy/compose/compose.yaml, compared with the code, the image and the files that it mounts."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bossjy_server.auth.options import AuthOptions
from bossjy_server.cli import command_line
from bossjy_server.config import Settings
from tests.deploy.manifests import CONTAINERFILE, DEPLOY, ROOT, exposed, settings_of

FOLDER = DEPLOY / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# Made by commands that the documentation names.
MADE = {"secrets", "build"}
OURS = {"server", "server-2", "database"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", str(FOLDER / "make_secrets.sh"), str(folder)], check=True, timeout=30)
    return folder


def mounts(service: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Source and target of each volume."""
    for volume in service.get("volumes", ()):
        source, target = volume.split(":")[:2]
        yield source, target


def lengthened(value: str) -> float:
    """A time such as 30s, in seconds."""
    return float(value.removesuffix("s"))


def test_our_services_have_the_image_and_settings_of_this_release(tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in CONTAINERFILE
    assert {name for name, each in SERVICES.items() if each["image"].startswith("bossjy")} == OURS
    for name in OURS:
        service = SERVICES[name]
        assert service["image"] == f"bossjy:{version}"
        assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        settings = settings_of(service["environment"], tmp_path)
        command_line().parse_args(service.get("command", ["serve"]))
        if name != "database":
            assert lengthened(service["stop_grace_period"]) >= settings.process.drain_s + 5
            program, *arguments = service["healthcheck"]["test"][1:]
            assert program == "bossjy-server"
            assert command_line().parse_args(arguments).command == "health"
            assert "/data/keys" in dict(mounts(service)).values()
    assert "/data/keys" in CONTAINERFILE, "a new volume there would belong to root"


def test_secrets_are_files_that_one_command_makes(secrets: Path) -> None:
    declared = {name: each["file"] for name, each in COMPOSE["secrets"].items()}
    assert declared == {name: f"./secrets/{name}" for name in declared}
    assert declared.keys() | {"certificate.pem", "key.pem"} == {path.name for path in secrets.iterdir()}
    for name, service in SERVICES.items():
        environment = service.get("environment", {})
        read = {Path(path).name for key, path in environment.items() if key.endswith("_FILE")}
        in_command = set(
            re.findall(r"/run/secrets/(\w+)", str(service.get("command")) + str(service.get("healthcheck")))
        )
        in_script = {"owner_password", "service_password", "exporter_password"} if name == "postgres" else set()
        assert read | in_command | in_script == set(service.get("secrets", ())), name
        assert not [key for key in environment if "PASSWORD" in key and not key.endswith("_FILE")]


def test_secrets_are_random_private_and_kept(secrets: Path, tmp_path: Path) -> None:
    script = str(FOLDER / "make_secrets.sh")
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run(["sh", script, str(secrets)], check=True, timeout=30)
    assert before == {path.name: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run(["sh", script, str(tmp_path / "other")], check=True, timeout=30)
    assert not [name for name, content in before.items() if (tmp_path / "other" / name).read_bytes() == content]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    ignored = subprocess.run(["git", "check-ignore", "deploy/compose/secrets/key.pem"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_urls_name_the_services_and_logins(secrets: Path) -> None:
    roles = (FOLDER / "roles.sh").read_text()
    for name in ("database_url", "database_admin_url"):
        found = re.fullmatch(r"postgresql://(\w+):\w+@(\w+):5432/(\w+)\n", (secrets / name).read_text())
        assert found
        assert f"CREATE ROLE {found[1]} LOGIN" in roles
        assert found[2] in SERVICES
        assert f"CREATE DATABASE {found[3]} " in roles
    assert re.fullmatch(r"redis://:\w+@redis:6379\n", (secrets / "redis_url").read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_limited_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("on-failure" if name == "database" else "unless-stopped")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "no-new-privileges:true" in service["security_opt"]
    assert set(service["profiles"]) <= {"small", "full"}
    assert "full" in service["profiles"]
    assert not service["image"].endswith(":latest")
    assert ":" in service["image"]
    if name not in {"postgres", "redis"}:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    for needed in service.get("depends_on", ()):
        assert set(service["profiles"]) <= set(SERVICES[needed]["profiles"]), f"{name} starts without {needed}"


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_exist(name: str) -> None:
    for source, _ in mounts(SERVICES[name]):
        if "/" not in source:
            assert source in COMPOSE["volumes"]
        else:
            path = (FOLDER / source).resolve()
            assert path.exists() or MADE & set(path.relative_to(ROOT).parts), f"{source} does not exist"


def test_ports_are_those_of_the_programs() -> None:
    (server,) = SERVICES["server"]["ports"]
    assert server == f"127.0.0.1:{Settings().server.port}:{Settings().server.port}"
    assert {Settings().server.port, Settings().metrics.port} == exposed()
    (gateway,) = SERVICES["traefik"]["ports"]
    traefik = yaml.safe_load((DEPLOY / "gateway" / "traefik.yaml").read_text())
    assert f":{gateway.split(':')[1]}" == traefik["entryPoints"]["grpcs"]["address"]
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]["dns_sd_configs"][0]
    assert (scraped["names"], scraped["port"]) == (["bossjy"], Settings().metrics.port)
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][1:]
    named = {job["job_name"]: job["static_configs"][0]["targets"][0].partition(":")[0] for job in jobs}
    assert named == {name: f"{name}-exporter" for name in ("node", "postgres", "redis")}
    assert set(named.values()) <= SERVICES.keys()


def test_gateway_finds_the_services_and_is_trusted(tmp_path: Path) -> None:
    routes = (DEPLOY / "gateway" / "routes.yaml").read_text()
    envoy = (DEPLOY / "gateway" / "envoy.yaml").read_text()
    names = {*SERVICES, *(alias for name in OURS for alias in aliases(name))}
    assert set(re.findall(r"url: h2c://([\w-]+):", routes)) <= names
    assert set(re.findall(r"address: ([a-z]\w*), port_value", envoy)) <= names
    assert set(re.findall(r"(?:certFile|keyFile): (\S+)", routes)) <= {to for _, to in mounts(SERVICES["traefik"])}
    assert re.findall(r"proto_descriptor: (\S+)", envoy)[0] in {to for _, to in mounts(SERVICES["envoy"])}
    trusted = settings_of(SERVICES["server"]["environment"], tmp_path).server.trusted_proxies
    proxies = [SERVICES[name]["networks"]["default"]["ipv4_address"] for name in ("traefik", "envoy")]
    assert [str(each).removesuffix("/32") for each in trusted] == proxies
    assert AuthOptions().issuer in envoy


def aliases(name: str) -> list[str]:
    """The other names of a service in its network."""
    found: list[str] = SERVICES[name].get("networks", {}).get("default", {}).get("aliases", [])
    return found


def test_redis_keeps_what_the_embedded_one_keeps() -> None:
    source = (ROOT / "server" / "bossjy_server" / "embedded" / "redis_server.py").read_text()
    words = shlex.split(shlex.join(SERVICES["redis"]["command"]))
    given = dict(zip(words[2::2], words[3::2], strict=True))
    for name in ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "save"):
        assert f"\n{name} {given[f'--{name}'] or chr(34) * 2}\n" in source


@pytest.mark.parametrize("profile", ["small", "full"])
def test_docker_compose_accepts_the_profile(profile: str) -> None:
    program = Path(sys.executable).parent / "docker-compose"
    assert program.exists(), "docker-compose is missing: run `make test-deploy`"
    command = [str(program), "--file", str(FOLDER / "compose.yaml"), "--profile", profile, "config", "--services"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {name for name, each in SERVICES.items() if profile in each["profiles"]}
