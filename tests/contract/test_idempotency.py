"""Idempotency levels: every method states one, and the client repeats exactly the calls that are safe by them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message_factory import GetMessageClass

from bossjy.phone.v1 import phone_service_pb2
from bossjy_client.idempotency import is_idempotent
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE

METHODS = {method.name: method for service in (PHONE, AUTH, CONTACTS, IMPORTS) for method in service.methods}
CLIENT = Path(__file__).parents[2] / "clients" / "python" / "bossjy_client"
READS = ("Get", "List", "Export", "Watch", "Preview", "Introspect")
# Methods whose repetition can have an effect, or gives another answer.
UNKNOWN = {
    "Register",
    "Login",
    "ChangePassword",
    "BeginSecondFactor",
    "ConfirmSecondFactor",
    "RemoveSecondFactor",
    "CreateApiKey",
    "CreateUser",
    "DeleteUser",
    "ResetPassword",
    "CreateImport",
    "RevertImport",
    "LookupNumber",
}
# Calls that the client repeats although their method can have an effect twice, with the reason.
REPEATED = {
    "Login": "a session without a user ends by itself",
    "ResetPassword": "the last password counts, and only its answer is shown",
}


def safe_arguments() -> Iterator[tuple[str, bool]]:
    """Methods whose calls in the client state `safe=True` or `safe=False`."""
    for path in CLIENT.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Attribute):
                continue
            for argument in call.keywords:
                # `safe` of urllib.parse.quote is a text.
                stated = argument.value.value if isinstance(argument.value, ast.Constant) else None
                if argument.arg == "safe" and isinstance(stated, bool):
                    yield call.args[0].attr, stated


def test_every_method_states_its_level() -> None:
    silent = [name for name, method in METHODS.items() if not method.GetOptions().HasField("idempotency_level")]
    assert silent == []


def test_levels_are_those_of_the_effects() -> None:
    levels = {name: method.GetOptions().idempotency_level for name, method in METHODS.items()}
    assert {name for name, level in levels.items() if level == MethodOptions.IDEMPOTENCY_UNKNOWN} == UNKNOWN
    for name, level in levels.items():
        if name.startswith(READS):
            assert level == MethodOptions.NO_SIDE_EFFECTS, name


@pytest.mark.parametrize("name", METHODS)
def test_the_client_repeats_by_the_level(name: str) -> None:
    request = GetMessageClass(METHODS[name].input_type)()
    assert is_idempotent(request) == (name not in UNKNOWN)


def test_the_client_has_no_other_list() -> None:
    assert {name: safe for name, safe in safe_arguments() if safe == (name in UNKNOWN)} == dict.fromkeys(
        REPEATED.keys() & {name for name, _ in safe_arguments()}, True
    )


def test_a_message_that_is_no_request_has_no_level() -> None:
    with pytest.raises(LookupError, match="the request of no method"):
        is_idempotent(phone_service_pb2.ValidateNumberResponse())
