"""Thousands of fuzz calls to every method: documented codes and reasons, never INTERNAL, never a hang."""

from __future__ import annotations

import pytest

from bossjy_server.rpc.method import methods_of
from bossjy_server.rpc.options import MAX_MESSAGE_BYTES
from bossjy_server.service_health import PHONE
from tests.contract.calls import METHODS, send
from tests.contract.fuzz import SEED, codes_in_log, run_calls
from tests.measurements import write_figures
from tests.service import Service

REQUESTS = 5_000


@pytest.mark.timeout(600)
async def test_any_request_gets_a_documented_answer(service: Service) -> None:
    outcome = await run_calls(service, REQUESTS, SEED)
    given = codes_in_log(service)
    assert given.total() >= REQUESTS
    codes = outcome.codes
    codes["INTERNAL"] = max(codes["INTERNAL"], given["INTERNAL"])
    write_figures(
        "fuzz",
        {"fuzz_requests": codes.total(), "fuzz_internal": codes["INTERNAL"], "fuzz_ok": codes["OK"]},
        rows=[("code", "requests"), *codes.most_common()],
    )
    assert outcome.faults == []
    assert codes["INTERNAL"] == 0
    assert codes.total() == REQUESTS
    assert codes["OK"] > REQUESTS / 20
    assert codes["INVALID_ARGUMENT"] > REQUESTS / 20
    assert set(outcome.methods) == {method.name for method in METHODS}


@pytest.mark.parametrize(
    ("size", "ended"),
    [
        (MAX_MESSAGE_BYTES - 200, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        (MAX_MESSAGE_BYTES + 1, ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")),
        # gRPC itself refuses it, without ErrorInfo.
        (2 * MAX_MESSAGE_BYTES + 1, ("RESOURCE_EXHAUSTED", "")),
    ],
)
async def test_a_request_that_is_too_large_is_refused(service: Service, size: int, ended: tuple[str, str]) -> None:
    text = b"1" * size
    # Field 1 of ValidateNumberRequest, in wire format: tag, length, bytes.
    length, varint = len(text), b""
    while length > 127:
        varint += bytes((length & 127 | 128,))
        length >>= 7
    raw = b"\x0a" + varint + bytes((length,)) + text
    assert await send(service, next(methods_of(PHONE)), [raw]) == ended
