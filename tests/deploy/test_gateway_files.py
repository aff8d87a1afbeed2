"""The files of deploy/gateway, compared with the contracts and the defaults of the settings.

`make test-gateway` runs them with the real programs.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor_pb2 import MethodOptions

from bossjy_server.config import Settings, read_settings
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE
from tests.deploy.manifests import DEPLOY

FOLDER = DEPLOY / "gateway"
SERVICES = [one.full_name for one in (AUTH, CONTACTS, IMPORTS, PHONE)]


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


ENVOY: Any = read("envoy.yaml")
TRAEFIK: Any = read("traefik.yaml")
ROUTES: Any = read("routes.yaml")["http"]
[MANAGER] = [
    one["typed_config"]
    for chain in ENVOY["static_resources"]["listeners"][0]["filter_chains"]
    for one in chain["filters"]
]
FILTERS: dict[str, Any] = {one["name"].rpartition(".")[2]: one["typed_config"] for one in MANAGER["http_filters"]}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return read_settings({})


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_routes(name: str) -> None:
    rules = [router["rule"] for router in ROUTES["routers"].values() if router["service"] == "bossjy"]
    assert any(f"PathPrefix(`/{name}/`)" in rule for rule in rules)
    assert name in FILTERS["grpc_json_transcoder"]["services"]


def test_routers_name_what_exists() -> None:
    for router in ROUTES["routers"].values():
        assert router["service"] in ROUTES["services"]
        assert set(router["middlewares"]) <= ROUTES["middlewares"].keys()
        assert set(router["entryPoints"]) <= TRAEFIK["entryPoints"].keys()
        assert "tls" in router
        limits = [name for name in router["middlewares"] if "rateLimit" in ROUTES["middlewares"][name]]
        public = "auth" in router["rule"].lower()
        assert limits == (["rate-auth"] if public else ["rate"])


def test_envoy_repeats_cancelled_calls_only_of_methods_that_are_safe() -> None:
    routes = MANAGER["route_config"]["virtual_hosts"][0]["routes"]
    unseen = {"connect-failure", "refused-stream"}
    for service in (AUTH, CONTACTS, IMPORTS, PHONE):
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            matching = [one for one in routes if matches(one["match"], path)]
            repeated = set(matching[0]["route"]["retry_policy"]["retry_on"].split(","))
            safe = method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
            assert repeated <= (unseen | {"cancelled"} if safe else unseen), path


def matches(match: dict[str, str], path: str) -> bool:
    return path == match["path"] if "path" in match else path.startswith(match["prefix"])


def test_envoy_loses_no_data_and_no_error() -> None:
    transcoder = FILTERS["grpc_json_transcoder"]
    assert transcoder["convert_grpc_status"] is True
    assert min(transcoder["max_request_body_size"], transcoder["max_response_body_size"]) >= 16 * 1024 * 1024
    assert transcoder["request_validation_options"] == {
        "reject_unknown_method": True,
        "reject_unknown_query_parameters": True,
    }
    assert transcoder["query_param_unescape_plus"] is True
    assert transcoder["print_options"] == {
        "always_print_primitive_fields": True,
        "preserve_proto_field_names": True,
        "stream_newline_delimited": True,
    }


def test_tokens_are_verified_as_the_server_makes_them(settings: Settings) -> None:
    provider = FILTERS["jwt_authn"]["providers"]["bossjy"]
    auth = settings.auth
    assert provider["issuer"] == auth.issuer
    assert provider["audiences"] == [auth.audience]
    # An idle stream is ended by the server, with a reason.
    assert seconds(MANAGER["stream_idle_timeout"]) > settings.streams.idle_s
    # A key must be known to Envoy before it signs.
    assert seconds(provider["remote_jwks"]["cache_duration"]) < auth.key_activation_s


def test_ports_are_the_defaults(settings: Settings) -> None:
    found = {
        cluster["name"]: cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        for cluster in ENVOY["static_resources"]["clusters"]
    }
    assert found["bossjy"]["socket_address"]["port_value"] == settings.server.port
    assert found["bossjy_operations"]["socket_address"]["port_value"] == settings.metrics.port
    [server] = ROUTES["services"]["bossjy"]["loadBalancer"]["servers"]
    assert server["url"] == f"h2c://bossjy:{settings.server.port}"


def test_the_access_logs_name_no_person() -> None:
    kept = TRAEFIK["accessLog"]["fields"]
    assert kept["defaultMode"] == kept["headers"]["defaultMode"] == "drop"
    assert not [name for name in kept["names"] if re.search(r"Path|Addr|Host|User|Query|Client(?!.*Size)", name)]
    [log] = MANAGER["access_log"]
    values = " ".join(log["typed_config"]["log_format"]["json_format"].values())
    assert not re.search(r"PATH|ADDRESS|AUTHORIZATION|COOKIE|FORWARDED|USER-AGENT|QUERY", values)


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])
