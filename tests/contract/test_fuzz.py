"""Ten thousand requests of any kind to every method: documented codes and reasons, never INTERNAL, never a hang."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from typing import Any

import grpc
import grpc.aio
import pytest

from bossjy_server.app import AUTH, CONTACTS, IMPORTS, PHONE
from bossjy_server.errors import Reason
from bossjy_server.rpc.method import Method, methods_of
from tests.contract.messages import broken, fill
from tests.figures import write_figures
from tests.service import Service
from tests.stream_status import reason_of, stream_status

REQUESTS = 10_000
SEED = 20_261_122
AT_ONCE = 16
# Codes that no request may get from a service whose parts are all there.
FORBIDDEN = {"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"}
# Each costs a password hash, so they get a smaller share; the throttle answers most of them.
DEAR = {"Register", "Login", "ChangePassword", "CreateUser", "ResetPassword"}
# They would end the session that the other requests need.
ENDING = {"Logout", "DisableUser", "RevokeSession"}


async def send(service: Service, method: Method, messages: list[bytes]) -> tuple[str, str]:
    """Send the messages as one call. Returns the code and the reason."""
    metadata = service.metadata if method.name not in ENDING else ()
    channel: Any = service.channel
    if method.client_streaming:
        ended = await stream_status(service.address, method.path, messages, metadata, timeout_s=30)
        return ended.code, ended.reason
    try:
        async with asyncio.timeout(30):
            if method.server_streaming:
                running = channel.unary_stream(method.path)(messages[0], metadata=metadata, timeout=2)
                async for _ in running:
                    pass
            else:
                await channel.unary_unary(method.path)(messages[0], metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return error.code().name, reason_of(error)
    return "OK", ""


def requests(methods: list[Method], rng: random.Random) -> list[tuple[Method, list[bytes]]]:
    weights = [0.1 if method.name in DEAR else 1.0 for method in methods]
    made = []
    for method in rng.choices(methods, weights, k=REQUESTS):
        messages = []
        for _ in range(rng.choice((1, 1, 2, 5)) if method.client_streaming else 1):
            message = method.request_class()
            fill(message, rng)
            raw = message.SerializeToString()
            messages.append(broken(raw, rng) if rng.random() < 0.25 else raw)
        made.append((method, messages))
    return made


@pytest.mark.timeout(600)
async def test_any_request_gets_a_documented_answer(service: Service) -> None:
    methods = [method for descriptor in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(descriptor)]
    waiting = iter(requests(methods, random.Random(SEED)))
    codes: Counter[str] = Counter()
    faults: list[tuple[str, str, str]] = []
    documented = {reason.value for reason in Reason}

    async def work() -> None:
        for method, messages in waiting:
            code, reason = await send(service, method, messages)
            codes[code] += 1
            # A deadline of the caller's own ends a stream without a word from the server.
            undocumented = code not in ("OK", "DEADLINE_EXCEEDED") and reason not in documented
            if code in FORBIDDEN or undocumented:
                faults.append((method.path, code, reason))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    await asyncio.sleep(0.5)  # the log is written by a thread
    logs = sorted((service.settings.data_dir / "logs").iterdir())
    given = Counter(found for log in logs for found in re.findall(r'"event":"call",.*?"code":"(\w+)"', log.read_text()))
    assert given.total() >= REQUESTS
    codes["INTERNAL"] = max(codes["INTERNAL"], given["INTERNAL"])
    write_figures(
        "fuzz",
        {"fuzz_requests": codes.total(), "fuzz_internal": codes["INTERNAL"], "fuzz_ok": codes["OK"]},
        rows=[("code", "requests"), *codes.most_common()],
    )
    assert faults == []
    assert codes.total() == REQUESTS
    assert codes["OK"] > REQUESTS / 20
    assert codes["INVALID_ARGUMENT"] > REQUESTS / 20


@pytest.mark.parametrize("size", [4 * 1024 * 1024 - 200, 4 * 1024 * 1024 + 1])
async def test_a_request_that_is_too_large_is_refused(service: Service, size: int) -> None:
    text = b"1" * size
    # Field 1 of ValidateNumberRequest, in wire format: tag, length, bytes.
    length, varint = len(text), b""
    while length > 127:
        varint += bytes((length & 127 | 128,))
        length >>= 7
    raw = b"\x0a" + varint + bytes((length,)) + text
    code, _ = await send(service, next(methods_of(PHONE)), [raw])
    assert code == ("INVALID_ARGUMENT" if len(raw) <= 4 * 1024 * 1024 else "RESOURCE_EXHAUSTED")
