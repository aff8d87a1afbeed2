"""Log lines of refused calls: a limit per network, then a summary; each within its bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from bossjy_server.rpc.log import fitting, shown_tenant
from bossjy_server.rpc.refusals import Refusals
from bossjy_server.telemetry.logging import INFO, WARNING, Log
from tests.unit.rpc.test_chain import READER, call, lines, refused
from tests.unit.rpc.test_chain import Phone as Answers

Serve = Callable[..., Any]


async def summaries(use: Callable[[Refusals], None], per_minute: int = 2) -> list[dict[str, Any]]:
    console = io.StringIO()
    log = Log(console=console)
    refusals = Refusals(log, per_minute)
    use(refusals)
    refusals.summarise()
    refusals.summarise()  # nothing is left to report
    log.close()
    return [orjson.loads(line) for line in console.getvalue().splitlines()]


async def test_a_network_has_so_many_lines_and_then_a_summary() -> None:
    def use(refusals: Refusals) -> None:
        had = [refusals.has_line("192.0.2.1", INFO, "TOKEN_INVALID") for _ in range(5)]
        had += [
            refusals.has_line("192.0.2.1", INFO, "RATE_LIMITED"),
            refusals.has_line("192.0.2.2", INFO, "RATE_LIMITED"),
        ]
        assert had == [True, True, False, False, False, False, True]
        # Errors of callers do not hide faults of the service.
        assert refusals.has_line("192.0.2.1", WARNING, "INTERNAL")

    (line,) = await summaries(use)
    assert (line["level"], line["event"], line["address"]) == ("info", "calls summarised", "192.0.2.1")
    assert (line["count"], line["within_s"]) == (4, 60)
    assert line["reasons"] == {"TOKEN_INVALID": 3, "RATE_LIMITED": 1}


async def test_many_networks_together_are_bounded() -> None:
    had: list[bool] = []

    def use(refusals: Refusals) -> None:
        had.extend(refusals.has_line(f"2001:db8:{number:x}::/64", INFO, "R") for number in range(500))

    written = await summaries(use)
    assert sum(had) == 20
    assert len(written) == 101
    assert sum(line["count"] for line in written) == 480
    assert [line["count"] for line in written if line["address"] == "others"] == [380]


async def test_without_a_bound_each_has_a_line() -> None:
    def use(refusals: Refusals) -> None:
        assert all(refusals.has_line("192.0.2.1", INFO, "R") for _ in range(100))

    assert await summaries(use, per_minute=0) == []


async def test_a_summary_comes_by_itself() -> None:
    console = io.StringIO()
    log = Log(console=console, flush_s=0.01)
    refusals = Refusals(log, 1, window_s=0.05)
    assert [refusals.has_line("n", INFO, "R") for _ in range(3)] == [True, False, False]
    async with asyncio.timeout(10):
        while "summarised" not in console.getvalue():
            await asyncio.sleep(0.02)
    assert refusals.has_line("n", INFO, "R")
    refusals.summarise()
    log.close()


async def test_a_flood_of_refused_calls_writes_few_lines(serve: Serve) -> None:
    async with serve(Answers()) as served:
        for _ in range(80):
            await refused(call(served, metadata=(("authorization", "Bearer junk"),)))
        for _ in range(70):
            await call(served, metadata=READER)
        written = lines(served)
    assert sum(line["code"] == "UNAUTHENTICATED" for line in written) == 60
    assert sum(line["code"] == "OK" for line in written) == 70
    assert not [line for line in written if line["level"] == "error"]
    assert {line["address"] for line in written} == {"unix"}


@pytest.mark.parametrize("more", [{}, {"tenant_id": "t" * 40, "actor": "a" * 40, "trace_id": "f" * 32}])
def test_a_refused_calls_line_has_300_bytes_at_most(more: dict[str, object]) -> None:
    fields: dict[str, object] = {
        "method": "/bossjy.imports.v1.ImportService/ListRevertConflicts",
        "code": "FAILED_PRECONDITION",
        "ms": 123456.789,
        "request_id": "0190163d-8694-739b-aea5-966c26f8ad90",
        "address": "2001:db8:aaaa:bbbb::/64",
        "reason": "SECOND_FACTOR_REQUIRED",
        **more,
    }
    console = io.StringIO()
    log = Log(console=console)
    log.write(WARNING, "call", fitting(dict(fields)))
    log.close()
    assert len(console.getvalue().strip().encode()) <= 300
    kept = orjson.loads(console.getvalue())
    assert {"method", "code", "reason", "request_id", "address"} <= kept.keys()
    assert fitting({"method": "/a/b"}) == {"method": "/a/b"}


def test_a_tenant_that_is_named_like_a_number_is_not_shown() -> None:
    assert shown_tenant("acme-2024-x7k2p9") == "acme-2024-x7k2p9"
    assert "13866600012" not in shown_tenant("13866600012-x7k2p9")
