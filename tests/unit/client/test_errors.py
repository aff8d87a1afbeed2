"""Errors of the client: the type and code of a status that a proxy made."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from bossjy_client.connection import is_passing
from bossjy_client.errors import BossjyError, UnavailableError, from_rpc_error


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
