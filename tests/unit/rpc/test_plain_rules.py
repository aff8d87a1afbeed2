"""The fast check against the validator: its passes obey the rules; a message that breaks one never passes."""

from __future__ import annotations

import random

import protovalidate
import pytest
from google.protobuf.descriptor import FieldDescriptor

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.rpc.method import Method, methods_of
from bossjy_server.rpc.plain_rules import plain_check
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS
from tests.unit.rpc.conftest import PHONE

METHODS = [method for service in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(service)]
VALIDATOR = protovalidate.Validator()
QUICK = [method for method in METHODS if plain_check(method.request_class.DESCRIPTOR)]


def test_the_hottest_method_is_among_those_that_are_checked_quickly() -> None:
    assert {"ValidateNumber", "GetMe"} <= {method.name for method in QUICK}


def test_messages_with_other_rules_are_left_to_the_validator() -> None:
    assert plain_check(pb.BatchValidateNumbersRequest.DESCRIPTOR) is None
    assert plain_check(pb.StreamValidateNumbersRequest.DESCRIPTOR) is None


@pytest.mark.parametrize("method", QUICK, ids=[method.name for method in QUICK])
def test_passed_messages_obey_their_rules(method: Method) -> None:
    check = plain_check(method.request_class.DESCRIPTOR)
    assert check is not None
    chance = random.Random(7)
    passed = 0
    for _ in range(100):
        message = method.request_class()
        for field in method.request_class.DESCRIPTOR.fields:
            if field.type == FieldDescriptor.TYPE_STRING:
                setattr(message, field.name, "号" * chance.choice([0, 1, 2, 3, 16, 17, 35, 36, 201, 4096, 4097]))
            elif field.enum_type is not None:
                setattr(message, field.name, chance.choice([0, 1, 2, 77, -1]))
        if check(message, message.ByteSize()):
            passed += 1
            assert not VALIDATOR.collect_violations(message)
    assert passed
