"""The document docs/openapi.json, compared with the contracts and with the gateway that it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

from bossjy.common.v1 import access_pb2
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
METHODS = [method for service in (PHONE, AUTH, CONTACTS, IMPORTS) for method in service.methods]
ANNOTATED = [method for method in METHODS if method.GetOptions().Extensions[annotations_pb2.http].WhichOneof("pattern")]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in DOCUMENT["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def operation_of(method: MethodDescriptor) -> tuple[str, str, dict[str, Any]]:
    name = f"{method.containing_service.name}.{method.name}"
    (found,) = [each for each in operations() if each[2]["operationId"] == name]
    return found


def test_every_annotated_method_is_there_and_nothing_else() -> None:
    assert len(ANNOTATED) == len(list(operations()))
    assert {method.name for method in METHODS if method not in ANNOTATED} == {"Upload", "StreamValidateNumbers"}


@pytest.mark.parametrize("method", ANNOTATED, ids=lambda method: str(method.name))
def test_operation_matches_its_method(method: MethodDescriptor) -> None:
    path, verb, operation = operation_of(method)
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    assert rule.WhichOneof("pattern") == verb
    in_path = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    in_query = {each["name"].partition(".")[0] for each in operation.get("parameters", ()) if each["in"] == "query"}
    fields = {field.name for field in method.input_type.fields}
    assert in_query <= fields
    if not rule.body:
        assert in_query | in_path == fields
    assert ("requestBody" in operation) == bool(rule.body)
    assert operation.get("x-stream") == ("ndjson" if method.server_streaming else None)
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": f"#/components/schemas/{method.output_type.full_name}"}
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}
    access = method.GetOptions().Extensions[access_pb2.access]
    assert ("security" in operation) == access.public
    assert operation.get("x-scope", "") == access.scope
    assert operation["description"]


def test_fields_have_the_names_and_forms_of_the_gateway() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for method in ANNOTATED:
        properties = schemas[method.output_type.full_name].get("properties", {})
        assert list(properties) == [field.name for field in method.output_type.fields]
    revision = schemas["bossjy.imports.v1.Import"]["properties"]["revision"]
    assert (revision["type"], revision["format"]) == ("string", "int64")
    assert set(schemas["google.rpc.Status"]["properties"]) == {"code", "message", "details"}


def test_server_is_the_address_of_the_gateway() -> None:
    traefik = yaml.safe_load((ROOT / "deploy" / "gateway" / "traefik.yaml").read_text())
    (server,) = DOCUMENT["servers"]
    assert server["url"] == "https://localhost" + traefik["entryPoints"]["grpcs"]["address"]
