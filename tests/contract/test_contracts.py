"""Rules for every method and message of the contracts."""

from __future__ import annotations

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from bossjy.auth.v1 import auth_service_pb2
from bossjy.common.v1 import error_reason_pb2
from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.errors import Reason, StartError
from bossjy_server.rpc.method import methods_of

SERVICES: list[ServiceDescriptor] = [
    phone_service_pb2.DESCRIPTOR.services_by_name["PhoneService"],
    auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"],
    contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"],
    import_service_pb2.DESCRIPTOR.services_by_name["ImportService"],
]
PUBLIC = {"Register", "Login", "RefreshToken", "GetJwks"}


def test_reasons_are_those_of_the_contract() -> None:
    prefix = "ERROR_REASON_"
    contract = [name.removeprefix(prefix) for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name]
    assert contract == ["UNSPECIFIED", *(reason.value for reason in Reason)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_method_states_its_access(service: ServiceDescriptor) -> None:
    methods = list(methods_of(service))
    assert len(methods) == len(service.methods)
    assert {method.name for method in methods if method.access.public} <= PUBLIC


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_method_without_a_client_stream_has_an_http_form(service: ServiceDescriptor) -> None:
    for method in service.methods:
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        assert bool(rule.WhichOneof("pattern")) is not method.client_streaming, method.full_name


def test_no_two_methods_share_an_http_form() -> None:
    seen: dict[tuple[str, str], str] = {}
    for service in SERVICES:
        for method in service.methods:
            rule = method.GetOptions().Extensions[annotations_pb2.http]
            verb = rule.WhichOneof("pattern")
            if verb is None:
                continue
            key = (verb, getattr(rule, verb))
            assert key not in seen, f"{method.full_name} and {seen[key]}"
            seen[key] = method.full_name


def test_a_method_without_an_access_rule_is_refused() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="unruled.proto", package="unruled", syntax="proto3")
    file.message_type.add(name="Empty")
    service = file.service.add(name="UnruledService")
    service.method.add(name="DoThing", input_type=".unruled.Empty", output_type=".unruled.Empty")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    with pytest.raises(StartError, match="unruled.UnruledService.DoThing states no access rule"):
        list(methods_of(pool.FindServiceByName("unruled.UnruledService")))
