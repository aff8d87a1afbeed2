"""The reference of the metrics, compared with the metrics of a running service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import grpc.aio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests import metrics
from tests.ports import free_port
from tests.service import serve

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
OWN = ("bossjy_", "grpc_server_")
# Only a supervisor of several workers has the first ones; only a server with a provider of look-ups or with TLS has the
# others.
ELSEWHERE = {
    "bossjy_workers",
    "bossjy_workers_died_total",
    "bossjy_workers_renewed_total",
    "bossjy_lookup_questions_total",
    "bossjy_certificate_expiry_timestamp_seconds",
}


def documented() -> dict[str, set[str]]:
    """Name of the samples → labels, of each metric on the page."""
    found = {}
    for name, labels in re.findall(r"^\| `(\w+)[^`]*` \| \w+ \| ([^|]*) \|", PAGE.read_text("utf-8"), re.MULTILINE):
        found[name] = set(re.findall(r"`(\w+)`", labels))
    return found


def comparable(name: str) -> str:
    """The name under which the page has a sample."""
    return re.sub(r"_(sum|count)$", "_bucket", name) if "seconds" in name else name


async def test_the_page_has_the_metrics_of_a_service(database_url: str, redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    shown: dict[str, set[str]] = {}
    async for service in serve(database_url, redis_url, tmp_path, BOSSJY_METRICS_PORT=str(port)):
        async with grpc.aio.insecure_channel(service.address) as channel:
            stub = auth_service_pb2_grpc.AuthServiceStub(channel)
            await stub.GetMe(auth_service_pb2.GetMeRequest(), metadata=service.metadata)
        for sample in await asyncio.to_thread(metrics.samples, port):
            if sample.name.startswith(OWN) and not sample.name.endswith("_created"):
                shown.setdefault(comparable(sample.name), set()).update(set(sample.labels) - {"le"})
    assert shown == {name: labels for name, labels in documented().items() if name not in ELSEWHERE}
