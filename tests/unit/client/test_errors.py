"""Errors of the client: the status of a proxy or of a deadline, and the text for people."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from bossjy_client.connection import is_passing
from bossjy_client.errors import BossjyError, FieldViolation, UnavailableError, from_rpc_error


def error(code: grpc.StatusCode, details: str) -> BossjyError:
    return from_rpc_error(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details))


def test_a_proxy_that_lost_its_server_is_unavailable() -> None:
    found = error(grpc.StatusCode.UNKNOWN, "Received http2 header with status: 500")
    assert isinstance(found, UnavailableError)
    assert found.code == "UNAVAILABLE"
    assert is_passing(found)


@pytest.mark.parametrize("details", ["Received http2 header with status: 404", "something else", ""])
def test_another_unknown_status_is_not(details: str) -> None:
    found = error(grpc.StatusCode.UNKNOWN, details)
    assert found.code == "UNKNOWN"
    assert not is_passing(found)


@pytest.mark.parametrize(
    ("message", "violations", "text"),
    [
        (
            "read_mask names 'x', which is no column",
            {"read_mask": "no such column"},
            "read_mask names 'x', which is no column",
        ),
        ("the password is refused: too short", {"password": "too short"}, "the password is refused: too short"),
        ("not right", {"purpose": "must have no number"}, "not right; purpose: must have no number"),
        (
            "phone_number: is too long (and 1 more)",
            {"phone_number": "is too long", "language": "is no tag"},
            "phone_number: is too long (and 1 more); language: is no tag",
        ),
    ],
)
def test_the_text_says_a_thing_once(message: str, violations: dict[str, str], text: str) -> None:
    found = BossjyError(message, violations=tuple(FieldViolation(*one) for one in violations.items()))
    assert str(found) == text


def test_a_deadline_says_what_to_do() -> None:
    found = error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    assert isinstance(found, UnavailableError)
    assert "give it a longer timeout" in str(found)
