"""Exemplars of a server with two workers, as a real Prometheus scrapes and stores them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from bossjy_client import Client, ClientConfig
from bossjy_server.embedded.system import end_process, free_port
from tests.e2e.conftest import made_server, on_parts, register
from tests.monitoring.conftest import Stack, until
from tests.otlp import otlp_receiver

CONFIG = """
scrape_configs:
  - job_name: bossjy
    scrape_interval: 1s
    static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""


async def call(target: str, token: str) -> None:
    """Calls on eight connections: the kernel distributes connections among the workers."""
    for _ in range(8):
        async with await Client.connect(target, token=token, config=ClientConfig()) as client:
            for _ in range(3):
                await client.phone.validate("+8613800138000")


def test_prometheus_stores_the_exemplars_of_all_workers(stack: Stack, tmp_path: Path) -> None:
    with otlp_receiver() as receiver:
        port, metrics_port = free_port(), free_port()
        settings = on_parts(stack.server.environment["DATABASE_ADMIN_URL"], stack.parts.redis_url)
        server = made_server(
            tmp_path,
            "serve",
            "--workers",
            "2",
            **settings,
            BOSSJY_METRICS_PORT=str(metrics_port),
            BOSSJY_OTLP_ENDPOINT=receiver.endpoint,
            BOSSJY_TRACE_RATIO="1",
        )
        (tmp_path / "prometheus.yml").write_text(CONFIG.replace("PORT", str(metrics_port)), "utf-8")
        command = [
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        ]
        with (tmp_path / "prometheus.log").open("wb") as output:
            prometheus = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            server.start()
            token = register(server.target).token

            def stored() -> dict[str, set[str]]:
                """The traces of stored exemplars, by worker."""
                asyncio.run(call(server.target, token))
                found: dict[str, set[str]] = {}
                for series in exemplars(port):
                    traces = {one["labels"]["trace_id"] for one in series["exemplars"]}
                    found.setdefault(series["seriesLabels"]["worker"], set()).update(traces)
                return found

            until("exemplars of two workers", lambda: len(stored()) == 2, 60)
            traces = set().union(*stored().values())
        finally:
            server.end()  # it sends the spans that wait
            end_process(prometheus, 10)
    assert traces <= {span.trace_id.hex() for span in receiver.spans}


def exemplars(port: int) -> Any:
    """The exemplars that Prometheus has of the buckets of ValidateNumber."""
    query = 'grpc_server_handling_seconds_bucket{grpc_method="ValidateNumber"}'
    times = {"start": str(time.time() - 600), "end": str(time.time() + 60)}
    asked = urllib.parse.urlencode({"query": query, **times})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query_exemplars?{asked}", timeout=10) as answer:
        return json.load(answer)["data"]
