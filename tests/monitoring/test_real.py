"""Queries and alerts on a real Prometheus, whose real exporters look at a loaded server."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time

import asyncpg
import pytest
import yaml

from bossjy.imports.v1 import import_pb2
from bossjy_client import BossjyError, Client, ClientConfig
from tests.e2e.conftest import Tenant, register
from tests.monitoring.conftest import FOLDER, Stack, until

# Parts of queries that have no data in this stack, and why.
EMPTY = {
    "absent(": "no target is absent",
    "bossjy_certificate_expiry": "this server has no TLS; tests/unit/telemetry/test_program.py has it",
    "pg_replication_lag": "this PostgreSQL has no replica",
    "bossjy_workers_died": "this server has no workers; tests/e2e/test_monitoring.py has them",
}
_COMPARED = re.compile(r" (>|<|==) ")
LOAD_S = 8.0
CONFIG = ClientConfig(max_attempts=1)


@pytest.fixture(scope="module")
def tenant(stack: Stack) -> Tenant:
    return register(stack.server.target)


def queries() -> set[str]:
    """All queries of panels and rules. A comparison of an alert becomes its value: 0 or 1."""
    found = set()
    for file in (FOLDER / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            found |= {target["expr"] for target in panel["targets"]}
    for file in (FOLDER / "prometheus").glob("*.yml"):
        for group in yaml.safe_load(file.read_text("utf-8")).get("groups", ()):
            found |= {_COMPARED.sub(r" \1 bool ", rule["expr"]) for rule in group["rules"]}
    return {one.replace("$__rate_interval", "1m").replace("$method", ".*").replace("$tenant", ".*") for one in found}


async def load(target: str, token: str, seconds: float) -> None:
    """Calls of every kind for some seconds, with an import."""
    rows = "".join(f"user {number},+8613800{number:06d}\n" for number in range(3000))
    async with await Client.connect(target, token=token, config=CONFIG) as client:
        spec = import_pb2.ImportSpec(default_region="CN")
        await client.imports.upload_file(f"name,phone\n{rows}bad,12\n".encode(), spec)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            for _ in range(5):
                await client.phone.validate("+8613800138000")
            await client.contacts.stats()
            await client.auth.me()
            with pytest.raises(BossjyError):
                await client.contacts.get("+8613911111111")
            await asyncio.sleep(0.02)


def test_every_query_has_data(stack: Stack, tenant: Tenant) -> None:
    asyncio.run(load(stack.server.target, tenant.token, LOAD_S))
    time.sleep(2.5)  # two scrapes and evaluations
    asked = queries()
    assert len(asked) > 130
    missing, idle = [], []
    for query in asked:
        values = [float(one["value"][1]) for one in stack.query(query)]
        reason = next((why for part, why in EMPTY.items() if part in query), None)
        if reason is None and not values:
            missing.append(query)
        if reason is not None and values:
            idle.append(f"{query}: has data, although {reason}")
        if values and all(map(math.isnan, values)):
            missing.append(f"{query}: only NaN")
    assert (missing, idle) == ([], [])
    broken = [rule for group in stack.ask("rules")["groups"] for rule in group["rules"] if rule["health"] != "ok"]
    assert not broken


def reached(stack: Stack, name: str, *words: str) -> bool:
    """True if each receiver has a message of the alert with these words."""
    return all(
        any(name in text and all(word in text for word in words) for text in texts)
        for texts in stack.received.all().values()
    )


def check_texts(stack: Stack, name: str, chinese: str, english: str) -> None:
    """Each receiver shows the summary in both languages, undamaged."""
    until(f"{name} reaches all receivers", lambda: reached(stack, name, chinese, english))
    for texts in (stack.received.dingtalk, stack.received.wecom, stack.received.mail):
        assert any(f"告警 {name}" in text or f"告警 firing {name}" in text for text in texts)
    assert stack.received.unsigned == 0


def check_resolved(stack: Stack, name: str) -> None:
    until(f"{name} resolves at 钉钉", lambda: any(f"恢复 {name}" in text for text in stack.received.dingtalk), 60)
    until(f"{name} resolves at 企业微信", lambda: any(f"恢复 {name}" in text for text in stack.received.wecom))
    until(f"{name} resolves by mail", lambda: any(f"恢复 resolved {name}" in text for text in stack.received.mail))
    until(
        f"{name} resolves at the webhook",
        lambda: any(text.startswith("4 resolved") and name in text for text in stack.received.webhook),
    )


def test_a_full_disk_reaches_every_receiver(stack: Stack) -> None:
    """The exporter's real sizes; the bound of the rule is raised above them, then lowered."""
    stack.set_disk_bound(1.5)
    check_texts(stack, "HostDiskFull", "剩余空间不足 10 %", "is free")
    stack.set_disk_bound(0.0)
    check_resolved(stack, "HostDiskFull")


def test_failing_calls_reach_every_receiver(stack: Stack, tenant: Tenant) -> None:
    """A table that is gone makes calls fail as INTERNAL; more calls that succeed bring the ratio down."""

    async def fail() -> None:
        admin = await asyncpg.connect(stack.parts.database_url)
        async with await Client.connect(stack.server.target, token=tenant.token, config=CONFIG) as client:
            try:
                await admin.execute("ALTER TABLE bossjy.contacts RENAME TO contacts_away")
                for _ in range(300):
                    with pytest.raises(BossjyError):
                        await client.contacts.get("+8613800000001")
                await asyncio.to_thread(
                    check_texts, stack, "BossJyErrorRatioHigh", "超过 5 % 的调用失败", "More than 5 % of the calls fail"
                )
            finally:
                await admin.execute("ALTER TABLE bossjy.contacts_away RENAME TO contacts")
                await admin.close()
            ratio = 1.0
            while ratio > 0.04:
                for _ in range(20):
                    await asyncio.gather(*(client.phone.validate("+8613800138000") for _ in range(50)))
                ratio = float(stack.query("bossjy:error_ratio:rate5m")[0]["value"][1])

    asyncio.run(asyncio.wait_for(fail(), 60))
    check_resolved(stack, "BossJyErrorRatioHigh")


def test_a_killed_server_reaches_every_receiver(stack: Stack) -> None:
    stack.server.kill()
    check_texts(stack, "BossJyDown", "上的 BossJy 没有响应", "does not answer")
    stack.server.start()
    check_resolved(stack, "BossJyDown")
